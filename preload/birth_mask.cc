// Reads the mask at birth; see birth_mask.h.

#include "preload/birth_mask.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>
#include <initializer_list>

#include "preload/descriptor_guard.h"
#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

// The child has its own fs context (no CLONE_FS) and its own memory, so its umask(0) touches
// nobody. Exit signal 0: the program gets no SIGCHLD, and its wait(2) never sees this child
// (__WCLONE children are skipped by a plain wait).
BirthMask read_in_child() {
  auto* shared = static_cast<volatile std::uint32_t*>(
      sys::map(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
  if (shared == nullptr) return {};
  constexpr std::uint32_t kWritten = 1u << 31;
  const long child = sys::call(SYS_clone, 0);
  if (child == 0) {
    *shared = static_cast<std::uint32_t>(sys::call(SYS_umask, 0)) | kWritten;
    sys::call(SYS_exit_group, 0);
    __builtin_unreachable();
  }
  BirthMask result;
  if (child > 0) {
    while (sys::call(SYS_wait4, child, 0, __WALL, 0) == -EINTR) {
    }
    if ((*shared & kWritten) != 0) {
      result = {static_cast<std::uint16_t>(*shared & 0777), trace::MaskSource::child};
    }
  }
  sys::unmap(const_cast<std::uint32_t*>(shared), 4096);
  return result;
}

// A directory with a default ACL would hide the mask; /dev/shm and /tmp have none as installed.
BirthMask read_by_probe() {
  for (const char* directory : {"/dev/shm", "/tmp"}) {
    const DescriptorGuard guard;
    const int fd = sys::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0777);
    if (fd < 0) continue;
    struct statx facts {};
    const int error = sys::facts(fd, "", AT_EMPTY_PATH, &facts);
    sys::close(fd);
    if (error == 0) {
      const auto mask = static_cast<std::uint16_t>(~facts.stx_mode & 0777);
      return {mask, trace::MaskSource::probe};
    }
  }
  return {};
}

long read_own_status(char* text, std::size_t size) {
  const DescriptorGuard guard;
  // The first thread's is its process's too, and two directories less for the kernel to make: their
  // entries are new in each process (15,000 cycles).
  const int tid = sys::gettid();
  const bool first = tid > 0 && tid == sys::getpid();
  const int fd =
      sys::open(first ? "/proc/self/status" : "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long length = sys::read(fd, text, size);
  sys::close(fd);
  return length;
}

}  // namespace

BirthMask read_proc_mask() {
  // The field is the second line; a thread's name is at most 15 escaped bytes.
  char text[256];
  const long size = read_own_status(text, sizeof text - 1);
  if (size <= 0) return {};
  text[size] = '\0';
  const char* field = strstr(text, "\nUmask:\t");
  if (field == nullptr) return {};
  unsigned mask = 0;
  for (const char* digit = field + 8; *digit >= '0' && *digit <= '7'; ++digit) {
    mask = mask * 8 + static_cast<unsigned>(*digit - '0');
  }
  return {static_cast<std::uint16_t>(mask & 0777), trace::MaskSource::proc};
}

BirthMask read_birth_mask() {
  BirthMask found = read_proc_mask();
  if (found.source == trace::MaskSource::unknown) found = read_in_child();
  if (found.source == trace::MaskSource::unknown) found = read_by_probe();
  return found;
}

}  // namespace umaskaudit::shim
