// System calls that objects of the program make by themselves, past libc: where they are, and the
// filter that sends them to the tracer.
// Must never do anything without tracer=. Called by init and by the dlopen wrappers.
#pragma once

#include "preload/process/hand_over.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Reads the code of all loaded objects but libc, its loader, the sanitizers and ourselves. Takes
// the loader's lock. Once, at the start, before anybody waits for that.
void find_inline_calls();

// Where a call that matters was found: a filter with these addresses where we have the right to
// install one, and the tracer follows what it stops; else the tracer takes the process, and
// nothing is to be recorded here. The process has one thread, or `everything` is taken.
struct InlineHandOver {
  HandOver request;
  trace::HandOverScope scope = trace::HandOverScope::everything;
  bool takes_process() const {
    return request.taken() && scope == trace::HandOverScope::everything;
  }
};
InlineHandOver hand_over_inline_calls();

// A blind spot for what was found and is not traced.
void report_inline_calls(const Author& author, std::uint32_t context, HandOver request);

// Before dlopen(3): the filter that is installed does not know the addresses of this file. A blind
// spot where it makes calls that matter. A name without a slash is the loader's to find, and is
// not looked at.
void look_for_inline_calls(const char* file);

}  // namespace umaskaudit::shim
