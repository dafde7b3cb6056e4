// System calls that make the files of a trace; see trace_files.h.

#include "preload/record/trace_files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"
#include "preload/trace/format.h"

namespace umaskaudit::shim {

int open_directory(const char* directory, bool make) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  bool made = false;
  int fd = sys::open(directory, kFlags);  // mostly exists: an earlier image created it
  if (fd == -ENOENT && make) {
    made = sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(directory), 0700) == 0;
    fd = sys::open(directory, kFlags);
  }
  if (fd < 0) return fd;
  struct stat facts {};
  const auto user = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  if (sys::call(SYS_fstat, fd, sys::arg(&facts)) != 0 || facts.st_uid != user) {
    sys::close(fd);
    return -EPERM;
  }
  if (made) sys::call(SYS_fchmod, fd, 0700);
  return fd;
}

int create_segment(int directory, std::uint32_t pid, std::uint64_t now,
                   char (&name)[kSegmentNameSize]) {
  for (unsigned attempt = 0; attempt < 16; ++attempt) {
    TextBuffer text(name, kSegmentNameSize);
    text.decimal(pid).put('-').hex(now + attempt, 16).put(trace::kSegmentSuffix).end();
    const int fd =
        sys::open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600, directory);
    if (fd == -EEXIST) continue;
    if (fd >= 0) sys::call(SYS_fchmod, fd, 0600);
    return fd;
  }
  return -EEXIST;
}

bool is_own_file(int fd, struct stat& facts) {
  if (sys::call(SYS_fstat, fd, sys::arg(&facts)) != 0) return false;
  const auto user = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  return S_ISREG(facts.st_mode) && facts.st_uid == user && facts.st_nlink == 1;
}

std::uint64_t largest_file() {
  rlimit file_size{};
  const bool known = sys::call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, sys::arg(&file_size)) == 0;
  return known ? file_size.rlim_cur : RLIM_INFINITY;
}

void read_boot_id(std::uint8_t (&out)[16]) {
  char text[37];
  const long size = sys::read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);
  unsigned nibbles = 0;
  for (long i = 0; i < size && nibbles < 32; ++i) {
    const char c = text[i];
    if (c == '-') continue;
    const unsigned value = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
    out[nibbles / 2] = static_cast<std::uint8_t>(out[nibbles / 2] << 4 | value);
    ++nibbles;
  }
}

}  // namespace umaskaudit::shim
