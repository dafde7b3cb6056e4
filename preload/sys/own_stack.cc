// Finds the bounds of the calling thread's own stack; see own_stack.h.

#include "preload/sys/own_stack.h"

#include <sys/auxv.h>

#include "preload/sys/libc_names.h"
#include "preload/sys/symbol_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uintptr_t kPage = 4096;
// The part of the kernel's stack that the first thread may use: the kernel places no mapping,
// except one at a fixed address, closer below it than stack_guard_gap (256 pages).
constexpr std::uintptr_t kFirstStack = 1 << 20;
// Above a thread's frames lie its static TLS and its description, struct pthread.
constexpr std::uintptr_t kLargestDescription = 1 << 16;

// The lowest address of the stack of the thread whose thread pointer is `of`. That pointer is
// stored beside it, because some runtimes start a thread with a copy of another one's TLS. All
// writers of one thread store the same values. Initial-exec, like thread_state.
struct Known {
  std::uintptr_t of = 0;
  std::uintptr_t begin = 0;
};
constinit thread_local Known known __attribute__((tls_model("initial-exec")));

constexpr std::uintptr_t kNone = UINTPTR_MAX;

constinit std::uintptr_t first_thread = 0;
constinit std::uintptr_t first_stack_end = 0;
// Offsets from the thread pointer: of struct pthread, and of its member that says where the stack
// is. 0 for the latter: not found.
constinit std::intptr_t description = 0;
constinit std::intptr_t stack_block = 0;
constinit decltype(&pthread_getattr_np) get_attributes = nullptr;  // of musl
constinit decltype(&pthread_attr_getstack) get_stack = nullptr;

std::uintptr_t thread_pointer() {
  return reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
}

std::uintptr_t offset(std::uintptr_t from, std::intptr_t by) {
  return from + static_cast<std::uintptr_t>(by);
}

const std::uintptr_t* words_at(std::uintptr_t address) {
  return reinterpret_cast<const std::uintptr_t*>(address);
}

// glibc's struct pthread has the members stackblock, stackblock_size and guardsize in this order,
// at an offset that differs by version. For the first thread they are 0 and __libc_stack_end, by
// which the offset can be found.
void find_stack_block(std::uintptr_t stack_end) {
  constexpr std::uintptr_t kLargest = 4096;  // sizeof(struct pthread) is 2,304 in glibc 2.36
  const std::uintptr_t begin = offset(first_thread, description);
  for (std::uintptr_t at = begin + 8; at < begin + kLargest; at += 8) {
    // It begins where the thread pointer points to, or, on other architectures, ends there.
    if (at % kPage == 0 && !sys::readable(words_at(at))) return;
    if (*words_at(at) != stack_end || *words_at(at - 8) != 0) continue;
    stack_block = static_cast<std::intptr_t>(at - 8 - first_thread);
    return;
  }
}

// Read from glibc's struct pthread, after a check: a task of clone(2) may have any memory as its
// TLS.
std::uintptr_t begin_by_description(std::uintptr_t here) {
  const std::uintptr_t at = offset(here, stack_block);
  if (stack_block == 0 || !sys::readable(words_at(at)) || !sys::readable(words_at(at + 16))) {
    return kNone;
  }
  const std::uintptr_t block = words_at(at)[0];
  const std::uintptr_t size = words_at(at)[1];
  const std::uintptr_t guard = words_at(at)[2];
  const bool is_here = block != 0 && here - block < size &&
                       size - (here - block) <= kLargestDescription && guard < here - block;
  return is_here ? block + guard : kNone;
}

// pthread_getattr_np(3) of musl neither locks nor allocates. That of glibc allocates.
std::uintptr_t begin_by_attributes(std::uintptr_t here) {
  pthread_attr_t attributes;
  void* block = nullptr;
  std::size_t size = 0;
  if (get_attributes(thread_handle(), &attributes) != 0 ||
      get_stack(&attributes, &block, &size) != 0) {
    return kNone;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(block);
  return here - begin < size + kLargestDescription ? begin : kNone;
}

[[gnu::noinline, gnu::cold]] std::uintptr_t look_for_begin(std::uintptr_t here) {
  if (first_thread == 0) return kNone;  // before our constructor
  std::uintptr_t begin = kNone;
  if (here == first_thread) {
    if (first_stack_end > kFirstStack) begin = first_stack_end - kFirstStack;
  } else if (get_stack != nullptr) {
    begin = begin_by_attributes(here);
  } else {
    begin = begin_by_description(here);
  }
  known.begin = begin;
  __atomic_signal_fence(__ATOMIC_RELEASE);
  known.of = here;
  return begin;
}

}  // namespace

void remember_first_thread() {
  first_thread = thread_pointer();
  first_stack_end = getauxval(AT_RANDOM);
  // glibc before 2.34 returns 0 in a program without libpthread.
  const pthread_t self = thread_handle();
  description = self != 0 ? static_cast<std::intptr_t>(self - first_thread) : 0;
  if (is_glibc()) {
    find_stack_block(reinterpret_cast<std::uintptr_t>(__libc_stack_end));
    return;
  }
  get_attributes =
      reinterpret_cast<decltype(&pthread_getattr_np)>(find_in_loaded("pthread_getattr_np"));
  if (get_attributes == nullptr) return;
  get_stack =
      reinterpret_cast<decltype(&pthread_attr_getstack)>(find_in_loaded("pthread_attr_getstack"));
}

StackRange own_stack() {
  const std::uintptr_t here = thread_pointer();
  const std::uintptr_t begin =
      __builtin_expect(known.of == here, 1) ? known.begin : look_for_begin(here);
  return {begin, here == first_thread ? first_stack_end : offset(here, description)};
}

namespace {

[[gnu::noinline]] bool alternate_stack_is_short(std::uintptr_t sp, std::uintptr_t least) {
  stack_t stack;
  if (sys::call(SYS_sigaltstack, 0, sys::arg(&stack)) != 0) return false;
  return (stack.ss_flags & SS_ONSTACK) != 0 &&
         sp - reinterpret_cast<std::uintptr_t>(stack.ss_sp) < least;
}

}  // namespace

bool is_short_of_stack(std::uintptr_t sp, std::uintptr_t least) {
  const StackRange own = own_stack();
  if (__builtin_expect(own.holds(sp), 1)) return sp - own.begin < least;
  return alternate_stack_is_short(sp, least);
}

StackRange page_of(std::uintptr_t address) {
  const std::uintptr_t page = address & ~(kPage - 1);
  return {page, page + kPage};
}

}  // namespace umaskaudit::shim
