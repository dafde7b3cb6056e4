// Converts what statx(2) says of an object to the terms of a record, so that an object on disk and
// one in a trace can be compared.
// Must never allocate or call libc: the shim calls it too.
#pragma once

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::trace {

// The kind for the type bits of `mode` (inode(7)); a file for bits that are not known.
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

// The number that stat(2) has in dev_t.
inline std::uint64_t device_of(const struct statx& facts) {
  return makedev(facts.stx_dev_major, facts.stx_dev_minor);
}

}  // namespace umaskaudit::trace
