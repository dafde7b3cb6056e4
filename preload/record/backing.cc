// Asks the kernel for space before a store needs it; see backing.h.

#include "preload/record/backing.h"

#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "preload/sys/sys.h"

// In Linux since 5.14, in libc's headers only later.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace umaskaudit::shim {

constinit bool copies_on_write = false;  // see write_in_place()

namespace {

bool can_populate = true;

}  // namespace

// Gives a page memory and disk space, as a store would, but returns false where a store would raise
// SIGBUS: the kernel's own access to it (FUTEX_WAKE_OP, futex(2)) fails with EFAULT. It ORs zero
// into a word, atomically, so others may write there meanwhile; no task waits on that futex.
bool back_page(void* page) {
  constexpr unsigned kOrZero = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0);
  std::uint32_t unused = 0;
  return sys::call(SYS_futex, sys::arg(&unused), FUTEX_WAKE_OP_PRIVATE, 0, 0, sys::arg(page),
                   kOrZero) >= 0;
}

// The same for a range of whole pages: by one call since Linux 5.14.
bool populate(void* at, std::uint64_t size) {
  if (can_populate) {
    return sys::call(SYS_madvise, sys::arg(at), static_cast<long>(size), MADV_POPULATE_WRITE) == 0;
  }
  auto* page = static_cast<unsigned char*>(at);
  for (unsigned char* const end = page + size; page < end; page += kPage) {
    if (!back_page(page)) return false;
  }
  return true;
}

int populate_first(void* at, std::uint64_t size) {
  const long backed =
      sys::call(SYS_madvise, sys::arg(at), static_cast<long>(size), MADV_POPULATE_WRITE);
  can_populate = backed != -EINVAL;
  if (backed == 0 || (!can_populate && populate(at, size))) return 0;
  // Both ways report a full disk as a fault.
  return backed == -EFAULT || !can_populate ? ENOSPC : static_cast<int>(-backed);
}

// Whether a store to these bytes is safe now. The page may be written to disk, and then lack space
// again, only between this call and the store, within a few instructions. A slow answer is
// discarded: populating the second page may have evicted the first, and so may other processes
// before this thread runs again. If every system call is slow, as under a tracer, the time proves
// nothing and is ignored.
bool stays_backed(const void* at, std::uint64_t size) {
  constexpr unsigned kAttempts = 16;
  // ns; for pages that are present it takes less than 1000
  constexpr std::uint64_t kAtOnce = 20000;
  const auto begin = reinterpret_cast<std::uintptr_t>(at) & ~(kPage - 1);
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(at) + size;
  unsigned slow_calls = 0;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint64_t asked = sys::now_ns();
    if (!populate(reinterpret_cast<void*>(begin), end - begin)) return false;
    const std::uint64_t answered = sys::now_ns();
    if (answered - asked < kAtOnce) return true;
    sys::call(SYS_getppid);  // a system call that never waits
    if (sys::now_ns() - answered >= kAtOnce) ++slow_calls;
  }
  return slow_calls > kAttempts / 2;
}

unsigned long filesystem_of(int fd) {
  struct statfs filesystem {};
  const long error = sys::call(SYS_fstatfs, fd, sys::arg(&filesystem));
  return error == 0 ? static_cast<unsigned long>(filesystem.f_type) : 0;
}

// A copy-on-write filesystem allocates new space when a page is written after it went to disk: on a
// full one a store to a backed page raises SIGBUS. A file that is written in place (btrfs(5),
// attribute C; for mapped files since Linux 6.16) mostly keeps its space; a quota group may still
// refuse, so is_backed() is needed. The attribute can be set while the file is empty. XFS and
// bcachefs copy after a clone, which cp(1) makes by default (FICLONE, ioctl_ficlonerange(2)).
constexpr unsigned long kBcachefs = 0xca451a4e;
void write_in_place(int fd, unsigned long type) {
  if (type == XFS_SUPER_MAGIC || type == kBcachefs) copies_on_write = true;
  if (type != BTRFS_SUPER_MAGIC && type != OVERLAYFS_SUPER_MAGIC) return;
  int flags = 0;
  if (sys::call(SYS_ioctl, fd, FS_IOC_GETFLAGS, sys::arg(&flags)) != 0) return;
  // The filesystem below overlayfs is unknown, but ext4 marks its files (chattr(1), attribute e).
  const bool ext4 = (flags & FS_EXTENT_FL) != 0;
  flags = (flags & ~FS_COMPR_FL) | FS_NOCOW_FL;
  const bool taken = sys::call(SYS_ioctl, fd, FS_IOC_SETFLAGS, sys::arg(&flags)) == 0;
  if (type == BTRFS_SUPER_MAGIC || taken || !ext4) copies_on_write = true;
}

}  // namespace umaskaudit::shim
