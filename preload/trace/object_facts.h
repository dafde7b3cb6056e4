// What statx(2) says of an object, in the words of a record: so that an object on disk and the one
// in a trace can be compared.
// Must never allocate or call libc. Called by the shim, and by the reporter where it looks at
// disks.
#pragma once

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::trace {

// The kind that the type bits of `mode` say (inode(7)); what they do not know is a file.
inline Kind kind_of_type(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return Kind::dir;
    case S_IFIFO:
      return Kind::fifo;
    case S_IFSOCK:
      return Kind::socket;
    case S_IFCHR:
      return Kind::chardev;
    case S_IFBLK:
      return Kind::blockdev;
    default:
      return Kind::file;
  }
}

// Nanoseconds since 1970; 0: the filesystem keeps no birth times.
inline std::int64_t birth_of(const struct statx& facts) {
  if ((facts.stx_mask & STATX_BTIME) == 0) return 0;
  return facts.stx_btime.tv_sec * 1'000'000'000 + facts.stx_btime.tv_nsec;
}

// As dev_t of stat(2).
inline std::uint64_t device_of(const struct statx& facts) {
  return makedev(facts.stx_dev_major, facts.stx_dev_minor);
}

}  // namespace umaskaudit::trace
