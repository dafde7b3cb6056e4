// Caches which mounts give an exact answer; see created_query.h.

#include "preload/object/created_query.h"

#include <sys/vfs.h>

namespace umaskaudit::shim::created_query {

constinit std::atomic<bool> dependable = true;
constinit std::atomic<std::uint64_t> exact_mounts[kMounts] = {};

namespace {

constexpr int kCreatedQuery = 1024 + 4;  // F_LINUX_SPECIFIC_BASE; newer than the headers

void give_up() { dependable.store(false, std::memory_order_relaxed); }

}  // namespace

Answer ask(int fd) {
  // Valgrind warns about commands that it does not know.
  const long said = sys::under_valgrind ? -EINVAL : sys::call(SYS_fcntl, fd, kCreatedQuery);
  if (said == 0) return Answer::existed;
  if (said == 1) return Answer::created;
  if (said != -EBADF) give_up();  // EBADF: another thread may have closed the descriptor
  return Answer::none;
}

bool study_mount(int fd, std::uint64_t mount) {
  struct statfs filesystem {};
  if (!is_usable() || sys::call(SYS_fstatfs, fd, sys::arg(&filesystem)) != 0) return false;
  note_filesystem(static_cast<std::uint32_t>(filesystem.f_type));
  // Tested once without effect: an older kernel does not know the command, and a filter may bar it.
  if (!is_usable() || ask(fd) == Answer::none) return false;
  exact_mounts[mount % kMounts].store(mount, std::memory_order_relaxed);
  return true;
}

void note_filesystem(std::uint32_t type) {
  if (!creates_in_the_kernel(type)) give_up();
}

}  // namespace umaskaudit::shim::created_query
