// What the kernel says of a descriptor: whether the open(2) that gave it made the object
// (F_CREATED_QUERY, Linux 6.12). Only believed where the kernel itself looks names up and makes
// them: elsewhere it notes what was asked for.
// Must never be asked where that may kill the program, or believed of a mount that is not known.
// Called by the shape of open(2). Async-signal-safe, lock-free, changes no errno.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/sys/sys.h"
#include "preload/trace/filesystems.h"

namespace umaskaudit::shim::created_query {

enum class Answer : std::uint8_t { none, existed, created };

// False for good once the kernel did not know the question, or anything was seen on a filesystem
// that looks up and creates in one step: then every call is looked at beforehand.
extern std::atomic<bool> dependable;
inline bool is_usable() {
  return dependable.load(std::memory_order_relaxed) && !sys::is_barred(SYS_fcntl);
}

Answer ask(int fd);

// Mounts that can be believed, by the number that no other one ever has while the system runs
// (STATX_MNT_ID_UNIQUE, Linux 6.8). 0: none.
inline constexpr unsigned kMounts = 16;
extern std::atomic<std::uint64_t> exact_mounts[kMounts];
[[gnu::cold]] bool study_mount(int fd, std::uint64_t mount);
// Whether the answer is exact for what `fd` has open, below that mount (0: not known). The
// filesystem is looked at once for each.
inline bool is_exact_for(int fd, std::uint64_t mount) {
  if (mount == 0) return false;
  const std::uint64_t known = exact_mounts[mount % kMounts].load(std::memory_order_relaxed);
  return __builtin_expect(known == mount, 1) || study_mount(fd, mount);
}

using trace::creates_in_the_kernel;
// Of an object, or of the directory that one was made in.
void note_filesystem(std::uint32_t type);

}  // namespace umaskaudit::shim::created_query
