// Finds the end of the thread's own stack, and remembers how far it is known; see own_stack.h.

#include "preload/unwind/own_stack.h"

#include <sys/auxv.h>

#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uintptr_t kPage = 4096;
// The kernel keeps this much below the first thread's stack free of other mappings
// (stack_guard_gap), and glibc has a guard page below the others': what is readable from `sp` up to
// the end, page by page, is one stack.
constexpr std::uintptr_t kDeepest = 1 << 20;

// The lowest page known to be there; 0: none. One word, for a handler may change it at any moment.
// Initial-exec, like thread_state.
constinit thread_local std::uintptr_t lowest __attribute__((tls_model("initial-exec"))) = 0;

constinit std::uintptr_t first_thread = 0;
constinit std::uintptr_t first_stack_end = 0;

std::uintptr_t thread_pointer() {
  return reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
}

// The first thread's stack ends with what the kernel put there for the program (getauxval(3)); the
// others' with their own description, where the thread pointer is.
std::uintptr_t end_of_stack() {
  const std::uintptr_t here = thread_pointer();
  return here == first_thread ? first_stack_end : here;
}

// True when all pages from `page` to the end are readable, as far as that is not known.
bool reaches_end(std::uintptr_t page, std::uintptr_t end) {
  if (page >= end || end - page > kDeepest) return false;
  const std::uintptr_t known = lowest;
  const std::uintptr_t unknown_end = known != 0 && page < known ? known : end;
  for (std::uintptr_t at = page + kPage; at < unknown_end; at += kPage) {
    if (!sys::readable(reinterpret_cast<void*>(at))) return false;
  }
  lowest = page;
  return true;
}

}  // namespace

void remember_first_thread() {
  first_thread = thread_pointer();
  first_stack_end = getauxval(AT_RANDOM);
}

StackRange known_stack(std::uintptr_t sp) {
  const std::uintptr_t end = end_of_stack();
  const std::uintptr_t known = lowest;
  if (known != 0 && sp >= known && sp < end) return {known, end};
  const std::uintptr_t page = sp & ~(kPage - 1);
  return reaches_end(page, end) ? StackRange{page, end} : StackRange{page, page + kPage};
}

}  // namespace umaskaudit::shim
