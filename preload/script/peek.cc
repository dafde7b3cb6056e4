// Copies through the kernel; see peek.h.

#include "preload/script/peek.h"

#include <sys/uio.h>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uintptr_t kPage = 4096;

// The window ends with the request and begins at most Window::kSize before that, in the same page:
// what is read next, frames of callers, is mostly at lower addresses.
std::uintptr_t begin_of_window(std::uintptr_t at, std::size_t size) {
  const std::uintptr_t end = at + size;
  const std::uintptr_t page = at & ~(kPage - 1);
  const std::uintptr_t furthest = end > Window::kSize ? end - Window::kSize : 0;
  return furthest > page ? furthest : page;
}

}  // namespace

bool Peek::copy(std::uintptr_t at, void* to, std::size_t size) {
  if (size > Window::kSize) {
    const long copied = sys::copy_memory(to, reinterpret_cast<const void*>(at), size);
    barred_ = barred_ || copied == -ENOSYS;
    return copied == static_cast<long>(size);
  }
  if (at < window_.begin || at + size > window_.end) {
    const std::uintptr_t begin = begin_of_window(at, size);
    const long copied =
        sys::copy_memory(window_.bytes, reinterpret_cast<const void*>(begin), Window::kSize);
    barred_ = barred_ || copied == -ENOSYS;
    window_.begin = begin;
    window_.end = begin + static_cast<std::uintptr_t>(copied > 0 ? copied : 0);
    if (at + size > window_.end) return false;
  }
  std::memcpy(to, window_.bytes + (at - window_.begin), size);
  return true;
}

void Batch::add(std::uintptr_t at, void* to, std::size_t size) {
  std::memset(to, 0, size);
  if (count_ == kMost || at < kPage || at >> 47 != 0) return;
  from_[count_] = {reinterpret_cast<void*>(at), size};
  to_[count_++] = {to, size};
}

// The kernel stops at the first unreadable item: it is skipped, and the rest is read by another
// call.
void Batch::read() {
  static_assert(sizeof(Piece) == sizeof(iovec));
  const int self = sys::getpid();
  for (unsigned first = 0; first < count_; ++first) {
    long copied = sys::call(SYS_process_vm_readv, self, sys::arg(to_ + first), count_ - first,
                            sys::arg(from_ + first), count_ - first, 0);
    if (copied < 0 && copied != -EFAULT) {
      barred_ = true;
      break;
    }
    for (; first < count_ && copied >= static_cast<long>(from_[first].size); ++first) {
      copied -= static_cast<long>(from_[first].size);
    }
    if (first < count_) std::memset(to_[first].at, 0, to_[first].size);
  }
  count_ = 0;
}

}  // namespace umaskaudit::shim
