// Finds system calls in the program's own code (not in libc), and installs the filter that sends
// them to the tracer.
// Must never do anything without tracer=. Called by init and by the dlopen wrappers.
#pragma once

#include "preload/process/hand_over.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Searches the code of all loaded objects except libc, its loader, the sanitizers and ourselves.
// Takes the loader's lock. Once, at the start, before other threads wait for the start.
void find_inline_calls();

// When sites were found: installs a filter with their addresses if we have the privilege, and the
// tracer follows the stopped calls; else the tracer takes the whole process, and nothing is
// recorded here. The process has one thread, or `everything` is taken.
struct InlineHandOver {
  HandOver request;
  trace::HandOverScope scope = trace::HandOverScope::everything;
  bool takes_process() const {
    return request.taken() && scope == trace::HandOverScope::everything;
  }
};
InlineHandOver hand_over_inline_calls();

// Writes a blind spot for sites that are not traced.
void report_inline_calls(const Author& author, std::uint32_t context, HandOver request);

// Before dlopen(3): an installed filter does not have the addresses of this file, so a blind spot
// is written if it has sites. A name without a slash is searched for by the loader, and is not
// examined.
void look_for_inline_calls(const char* file);

}  // namespace umaskaudit::shim
