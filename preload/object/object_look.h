// The facts of an object that records need, from statx(2).
// Must never leave the kernel's 256 byte structure on the caller's stack.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

struct ObjectFacts {
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t ino = 0;
  std::uint64_t dev = 0;
  std::uint64_t mount = 0;    // the mount's unique number; 0: not known
  std::int64_t birth_ns = 0;  // 0: the filesystem has no birth times
};

// Arguments as for statx(2). 0, or -errno, which leaves `out` alone. Async-signal-safe.
[[gnu::noinline]] int look_at(int dirfd, const char* path, int flags, ObjectFacts& out);
// The same by fstat(2), without birth and mount.
[[gnu::noinline]] int look_at_descriptor(int fd, ObjectFacts& out);

// The objects that this process created last: a change by descriptor needs no path then, because
// the record of their creation has it.
void note_made(const ObjectFacts& facts);
bool was_made_lately(const ObjectFacts& facts);

}  // namespace umaskaudit::shim
