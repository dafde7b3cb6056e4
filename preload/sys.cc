// The rare parts of our own system calls; see sys.h.

#include "preload/sys.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace umaskaudit::shim::sys {

constinit std::atomic<bool> filtered = false;
constinit std::atomic<unsigned long> barred[kNumbers / 64] = {};

int facts_by_stat(int dirfd, const char* path, int flags, struct statx* out) {
  struct stat found {};
  long error = -ENOSYS;
  if ((flags & AT_EMPTY_PATH) != 0 && *path == '\0') error = call(SYS_fstat, dirfd, arg(&found));
  if (error == -ENOSYS) error = call(SYS_newfstatat, dirfd, arg(path), arg(&found), flags);
  if (error != 0) return static_cast<int>(error);
  *out = {};
  out->stx_mask = kFacts & ~unsigned{STATX_BTIME};
  out->stx_mode = static_cast<std::uint16_t>(found.st_mode);
  out->stx_uid = found.st_uid;
  out->stx_gid = found.st_gid;
  out->stx_ino = found.st_ino;
  out->stx_size = static_cast<std::uint64_t>(found.st_size);
  out->stx_dev_major = major(found.st_dev);
  out->stx_dev_minor = minor(found.st_dev);
  return 0;
}

}  // namespace umaskaudit::shim::sys
