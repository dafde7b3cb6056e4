// The rare parts of our own system calls; see sys.h.

#include "preload/sys/sys.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include <cstring>

namespace umaskaudit::shim::sys {

constinit std::atomic<bool> filtered = false;
constinit Numbers barred = {};
constinit Numbers barred_soon[kInstalling] = {};

bool is_barred_by_filter(long number) {
  const auto index = static_cast<unsigned long>(number);
  if (index >= kNumbers) return true;
  unsigned long bits = barred[index / 64].load(std::memory_order_relaxed);
  for (const Numbers& soon : barred_soon) bits |= soon[index / 64].load(std::memory_order_relaxed);
  return (bits >> index % 64 & 1) != 0;
}

int facts_by_stat(int dirfd, const char* path, int flags, struct statx* out) {
  struct stat found {};
  long error = -ENOSYS;
  if ((flags & AT_EMPTY_PATH) != 0 && *path == '\0') error = call(SYS_fstat, dirfd, arg(&found));
  if (error == -ENOSYS) error = call(SYS_newfstatat, dirfd, arg(path), arg(&found), flags);
  if (error != 0) return static_cast<int>(error);
  *out = {};
  out->stx_mask = kFacts & ~(STATX_BTIME | kUniqueMount);
  out->stx_mode = static_cast<std::uint16_t>(found.st_mode);
  out->stx_uid = found.st_uid;
  out->stx_gid = found.st_gid;
  out->stx_ino = found.st_ino;
  out->stx_size = static_cast<std::uint64_t>(found.st_size);
  out->stx_dev_major = major(found.st_dev);
  out->stx_dev_minor = minor(found.st_dev);
  return 0;
}

namespace {

constexpr uintptr_t kPage = 4096;
constinit std::atomic<uint64_t> last_monotonic = 0;
constinit std::atomic<uint64_t> last_real = 0;

}  // namespace

constinit std::atomic<bool> clock_stopped = false;

uint64_t stopped_clock(clockid_t clock) {
  return (clock == CLOCK_MONOTONIC ? last_monotonic : last_real).fetch_add(1) + 1;
}

void stop_clock(uint64_t monotonic, uint64_t real) {
  last_monotonic = monotonic;
  last_real = real;
  clock_stopped = true;
}

constinit ClockGettime kernel_clock = nullptr;
constinit bool under_valgrind = false;

namespace {

// RUNNING_ON_VALGRIND of valgrind.h: rotations without effect, which valgrind recognises.
bool ask_valgrind() {
#if defined(__x86_64__)
  const uintptr_t request[6] = {0x1001};
  uintptr_t answer = 0;
  asm volatile(
      "rolq $3, %%rdi\n rolq $13, %%rdi\n rolq $61, %%rdi\n rolq $51, %%rdi\n xchgq %%rbx, %%rbx"
      : "=d"(answer)
      : "a"(request), "0"(answer)
      : "cc", "memory");
  return answer != 0;
#else
  return false;
#endif
}

}  // namespace

void look_around() {
  // Once. Writing to a page before reading it is one page fault instead of two.
  static constinit std::atomic<bool> looked = false;
  if (looked.exchange(true, std::memory_order_relaxed)) return;
  kernel_clock = vdso_clock();
  under_valgrind = ask_valgrind();
}

bool readable_under_valgrind(const void* address) {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{const_cast<void*>(address), 1};
  return call(SYS_process_vm_readv, getpid(), arg(&here), 1, arg(&there), 1, 0) == 1;
}

bool Scout::can_read(const void* address) {
  const uintptr_t page = reinterpret_cast<uintptr_t>(address) & ~(kPage - 1);
  if (page != 0 && page == page_) return true;
  if (page == 0 || !readable(address)) return false;
  page_ = page;
  return true;
}

bool Scout::can_read_text(const char* text, size_t limit) {
  while (limit > 0) {
    if (!can_read(text)) return false;
    const size_t left = kPage - (reinterpret_cast<uintptr_t>(text) & (kPage - 1));
    const size_t step = left < limit ? left : limit;
    if (memchr(text, '\0', step) != nullptr) return true;
    text += step;
    limit -= step;
  }
  return false;
}

uintptr_t word_at(const void* address) {
  uintptr_t word = 0;
  const iovec here{&word, sizeof word};
  const iovec there{const_cast<void*>(address), sizeof word};
  const long size = call(SYS_process_vm_readv, getpid(), arg(&here), 1, arg(&there), 1, 0);
  return size == static_cast<long>(sizeof word) ? word : 0;
}

namespace {

// The fallback where process_vm_readv(2) is barred: tests each page before reading it. A page that
// another thread unmaps in between still faults.
[[gnu::noinline, gnu::cold]] long copy_readable(char* to, const char* from, size_t size) {
  if (is_barred(SYS_rt_sigprocmask) && !under_valgrind) return -ENOSYS;
  Scout scout;
  size_t done = 0;
  while (done < size && scout.can_read(from + done)) {
    const size_t left = kPage - (reinterpret_cast<uintptr_t>(from + done) & (kPage - 1));
    const size_t step = left < size - done ? left : size - done;
    memcpy(to + done, from + done, step);
    done += step;
  }
  return done != 0 ? static_cast<long>(done) : -EFAULT;
}

}  // namespace

long copy_memory(void* to, const void* from, size_t size, int self) {
  const iovec here{to, size};
  const iovec there{const_cast<void*>(from), size};
  const long copied = call(SYS_process_vm_readv, self, arg(&here), 1, arg(&there), 1, 0);
  if (copied >= 0 || copied == -EFAULT) return copied;
  return copy_readable(static_cast<char*>(to), static_cast<const char*>(from), size);
}

long copy_text(char* to, const char* from, size_t room) {
  const int self = getpid();
  size_t done = 0;
  while (done < room - 1) {
    const size_t page = kPage - (reinterpret_cast<uintptr_t>(from + done) & (kPage - 1));
    const size_t step = page < room - 1 - done ? page : room - 1 - done;
    const long copied = copy_memory(to + done, from + done, step, self);
    if (copied < 0) return copied;
    const auto* end =
        static_cast<const char*>(memchr(to + done, '\0', static_cast<size_t>(copied)));
    if (end != nullptr) return end - to;
    if (static_cast<size_t>(copied) < step) return -EFAULT;
    done += step;
  }
  to[done] = '\0';
  return static_cast<long>(done);
}

bool copy_pieces(const Piece (&pieces)[kPieces], int self) {
  iovec here[kPieces];
  iovec there[kPieces];
  size_t size = 0;
  for (unsigned i = 0; i < kPieces; ++i) {
    here[i] = {pieces[i].to, pieces[i].size};
    there[i] = {const_cast<void*>(pieces[i].from), pieces[i].size};
    size += pieces[i].size;
  }
  const long copied = call(SYS_process_vm_readv, self, arg(here), kPieces, arg(there), kPieces, 0);
  return copied == static_cast<long>(size);
}

}  // namespace umaskaudit::shim::sys
