// A shim that logs each call by the first means that comes to mind. Built once for each:
//   FAULTY_KEEP    a descriptor that stays open
//   FAULTY_BUFFER  a string that is written out when the library's destructors run
//   FAULTY_MAP     a large mapped file, of which no page is allocated on the disk
//   FAULTY_REOPEN  a name that is opened anew for each line
// Must never be taken for ours. FAULTY_LOG names the file. Used by tests/e2e/test_victims.py.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdarg>
#include <mutex>

#include "victim.h"

namespace {

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// A raw call: the log must not log itself.
int open_log(int flags) {
  const char* name = std::getenv("FAULTY_LOG");
  return name == nullptr ? -1
                         : static_cast<int>(
                               syscall(SYS_openat, AT_FDCWD, name, flags | O_CREAT | O_RDWR, 0644));
}

#if defined(FAULTY_KEEP)
int log_fd = open_log(O_TRUNC);
void put(const char* line) { (void)!write(log_fd, line, std::strlen(line)); }
#elif defined(FAULTY_BUFFER)
struct Buffer {
  std::mutex lock;  // the fault is that it is written late, not that threads write it at once
  std::string text;
  ~Buffer() {
    const int fd = open_log(O_APPEND);
    (void)!write(fd, text.data(), text.size());
    close(fd);
  }
} buffer;
void put(const char* line) {
  const std::lock_guard guard(buffer.lock);
  buffer.text += line;
}
#elif defined(FAULTY_MAP)
constexpr std::size_t kSize = 64 << 20;
char* map_log() {
  const int fd = open_log(0);
  (void)!ftruncate(fd, kSize);
  void* at = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return static_cast<char*>(at);
}
char* const kMapped = map_log();
std::size_t used = 0;
void put(const char*) {
  kMapped[used] = '\n';
  used += 256;  // the size of one of our records
}
#else
void put(const char* line) {
  const int fd = open_log(O_APPEND);
  (void)!write(fd, line, std::strlen(line));
  close(fd);
}
#endif

}  // namespace

extern "C" mode_t umask(mode_t mask) noexcept {
  static const auto real = next<mode_t (*)(mode_t)>("umask");
  const mode_t old = real(mask);
  put("umask\n");
  return old;
}

extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int (*)(const char*, mode_t)>("mkdir");
  const int result = real(path, mode);
  put("mkdir\n");
  return result;
}

extern "C" int open(const char* path, int flags, ...) {
  static const auto real = next<int (*)(const char*, int, mode_t)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  const int fd = real(path, flags, mode);
  put("open\n");
  return fd;
}
