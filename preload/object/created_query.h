// Asks the kernel whether the open(2) that returned a descriptor created the object
// (F_CREATED_QUERY, Linux 6.12). The answer is exact only on filesystems where fs/namei.c looks
// names up and creates files; others only note what was requested.
// Must never be used where a filter may kill the program for it, or on a mount that was not
// checked. Async-signal-safe, lock-free, changes no errno.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/sys/sys.h"
#include "preload/trace/filesystems.h"

namespace umaskaudit::shim::created_query {

enum class Answer : std::uint8_t { none, existed, created };

// False for good once the kernel did not know the command, or an object was on a filesystem that
// looks up and creates in one step: from then on every call is looked at before it is made.
extern std::atomic<bool> dependable;
inline bool is_usable() {
  return dependable.load(std::memory_order_relaxed) && !sys::is_barred(SYS_fcntl);
}

Answer ask(int fd);

// Mounts with exact answers, by their unique id, which is never reused while the system runs
// (STATX_MNT_ID_UNIQUE, Linux 6.8). 0: none.
inline constexpr unsigned kMounts = 16;
extern std::atomic<std::uint64_t> exact_mounts[kMounts];
[[gnu::cold]] bool study_mount(int fd, std::uint64_t mount);
// Whether the answer is exact for the object that `fd` is open on, on that mount (0: not known).
// Reads the filesystem's type once a mount.
inline bool is_exact_for(int fd, std::uint64_t mount) {
  if (mount == 0) return false;
  const std::uint64_t known = exact_mounts[mount % kMounts].load(std::memory_order_relaxed);
  return __builtin_expect(known == mount, 1) || study_mount(fd, mount);
}

using trace::creates_in_the_kernel;
// For an object, or for the directory that it was created in.
void note_filesystem(std::uint32_t type);

}  // namespace umaskaudit::shim::created_query
