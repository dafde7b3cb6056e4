// What is known of filesystems by their type (statfs(2), f_type).
// Must never allocate or call libc. Called by the shim, and by the tracer.
#pragma once

#include <linux/magic.h>

#include <cstdint>

namespace umaskaudit::trace {

// Whether a filesystem creates files under the lock of their directory and by this machine's clock,
// so that the kernel's note about an open(2) (F_CREATED_QUERY) is exact. None of those below has
// inode_operations::atomic_open, so fs/namei.c itself looks the name up and creates the file. FUSE,
// NFS, CIFS, 9p and Ceph note "created" whenever they were asked to create, or only with O_EXCL.
inline bool creates_in_the_kernel(std::uint32_t type) {
  switch (type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case EXT4_SUPER_MAGIC:  // ext2 and ext3 too
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:  // makes the upper file with O_EXCL
    case MSDOS_SUPER_MAGIC:
    // Other filesystems that a shell's ">" often writes to, where open(2) never creates anything.
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

}  // namespace umaskaudit::trace
