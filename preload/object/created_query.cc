// Knows which mounts can be believed; see created_query.h.

#include "preload/object/created_query.h"

#include <linux/magic.h>
#include <sys/vfs.h>

namespace umaskaudit::shim::created_query {

constinit std::atomic<bool> dependable = true;
constinit std::atomic<std::uint64_t> exact_mounts[kMounts] = {};

namespace {

constexpr int kCreatedQuery = 1024 + 4;  // F_LINUX_SPECIFIC_BASE; newer than the headers

void give_up() { dependable.store(false, std::memory_order_relaxed); }

}  // namespace

// None of these has inode_operations::atomic_open, and each makes a file under the lock of its
// directory or not at all: the answer is what fs/namei.c itself found and did. FUSE, NFS, CIFS, 9p
// and Ceph note "created" when they were asked to create, or only with O_EXCL.
bool creates_in_the_kernel(std::uint32_t type) {
  switch (type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case EXT4_SUPER_MAGIC:  // ext2 and ext3 too
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:  // makes the upper file with O_EXCL
    case MSDOS_SUPER_MAGIC:
    // What a shell's ">" meets besides: nothing is ever made there by open(2).
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case PIPEFS_MAGIC:
      return true;
    default:
      return false;
  }
}

Answer ask(int fd) {
  // Valgrind warns of commands that it does not know.
  const long said = sys::under_valgrind ? -EINVAL : sys::call(SYS_fcntl, fd, kCreatedQuery);
  if (said == 0) return Answer::met;
  if (said == 1) return Answer::made;
  if (said != -EBADF) give_up();  // another thread may close anything
  return Answer::none;
}

bool study_mount(int fd, std::uint64_t mount) {
  struct statfs filesystem {};
  if (!is_usable() || sys::call(SYS_fstatfs, fd, sys::arg(&filesystem)) != 0) return false;
  note_filesystem(static_cast<std::uint32_t>(filesystem.f_type));
  // Asked once where nothing depends on it: an older kernel, or a filter, has no answer.
  if (!is_usable() || ask(fd) == Answer::none) return false;
  exact_mounts[mount % kMounts].store(mount, std::memory_order_relaxed);
  return true;
}

void note_filesystem(std::uint32_t type) {
  if (!creates_in_the_kernel(type)) give_up();
}

}  // namespace umaskaudit::shim::created_query
