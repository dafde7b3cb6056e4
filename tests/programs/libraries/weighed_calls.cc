// A preload in front of the shim that weighs what calls of a program leave behind: in the file
// WEIGHED_CALLS it counts calls of umask, mkdir and open, allocations that their thread made
// meanwhile, and calls after which errno was not what the kernel alone leaves.
// Ground truth: without the shim, libc allocates in none of them, and sets errno on failure only.
// Used by tests/e2e/test_script_effects.py.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdarg>
#include <cstddef>

#include "victim.h"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): glibc's names
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
// NOLINTEND(readability-identifier-naming)
}

namespace {

struct Counts {
  std::atomic<std::uint64_t> calls, failed, allocations, wrong_errors;
};

Counts* counts() {
  static std::atomic<Counts*> shared{nullptr};
  Counts* known = shared;
  if (known != nullptr) return known;
  const char* const path = std::getenv("WEIGHED_CALLS");
  const auto fd =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (path == nullptr || fd < 0 || ftruncate(fd, sizeof(Counts)) != 0) victim::die("counts");
  void* const map = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) victim::die("counts");
  close(fd);
  shared = static_cast<Counts*>(map);
  return shared;
}

__attribute__((tls_model("initial-exec"))) thread_local bool weighed = false;

void count_allocation() {
  if (weighed) counts()->allocations++;
}

constexpr int kMark = 4711;  // no call fails with it

// Whether errno is what the kernel leaves: asked by `again`, which fails as the call did.
template <typename Again>
bool is_right(long result, Again again) {
  const int seen = errno;
  if (result != -1) return seen == kMark;
  counts()->failed++;
  errno = kMark;
  const bool right = again() == -1 && errno == seen;
  errno = seen;
  return right;
}

template <typename Call, typename Again>
auto weigh(Call call, Again again) {
  Counts* const to = counts();
  to->calls++;
  const int before = errno;
  errno = kMark;
  weighed = true;
  const auto result = call();
  weighed = false;
  if (!is_right(static_cast<long>(result), again)) to->wrong_errors++;
  if (errno == kMark) errno = before;
  return result;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int open_weighed(const char* name, const char* path, int flags, mode_t mode) {
  static const auto open_next = next<int (*)(const char*, int, ...)>("open");
  static const auto open64_next = next<int (*)(const char*, int, ...)>("open64");
  const auto function = std::strcmp(name, "open") == 0 ? open_next : open64_next;
  return weigh([&] { return function(path, flags, mode); },
               [&] { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); });
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
  count_allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  count_allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  count_allocation();
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count_allocation();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) noexcept {
  if (block != nullptr) count_allocation();
  __libc_free(block);
}

mode_t umask(mode_t mask) noexcept {
  static const auto call = next<mode_t (*)(mode_t)>("umask");
  return weigh([&] { return call(mask); }, [] { return -1; });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto call = next<int (*)(const char*, mode_t)>("mkdir");
  return weigh([&] { return call(path, mode); },
               [&] { return syscall(SYS_mkdirat, AT_FDCWD, path, mode); });
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_weighed("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_weighed("open64", path, flags, mode);
}
}
