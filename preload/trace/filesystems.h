// What is known of filesystems by their type (statfs(2), f_type).
// Must never allocate or call libc. Called by the shim, and by the tracer.
#pragma once

#include <linux/magic.h>

#include <cstdint>

namespace umaskaudit::trace {

// Whether a filesystem makes files under the lock of their directory, by this machine's clock, so
// that what the kernel notes of an open(2) (F_CREATED_QUERY) is what happened.
// None of these has inode_operations::atomic_open, and each makes a file under the lock of its
// directory or not at all: the answer is what fs/namei.c itself found and did. FUSE, NFS, CIFS, 9p
// and Ceph note "created" when they were asked to create, or only with O_EXCL.
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

}  // namespace umaskaudit::trace
