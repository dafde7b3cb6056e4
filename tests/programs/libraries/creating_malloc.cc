// A preload whose malloc and calloc create: a shim that allocates while it resolves functions
// calls itself. Ground truth: VICTIM_DIR has twenty directories, m0 to m19.
// Used by tests/e2e/test_loading.py.
#include <cstddef>

#include "victim.h"

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): glibc's names
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
// NOLINTEND(readability-identifier-naming)
}

namespace {

constexpr int kDirectories = 20;
std::atomic<int> made{0};
__attribute__((tls_model("initial-exec"))) thread_local bool inside = false;

void create() {
  if (inside || made >= kDirectories) return;
  inside = true;
  const int saved = errno;
  char path[4096];
  const char* dir = std::getenv("VICTIM_DIR");
  if (dir != nullptr) {
    std::snprintf(path, sizeof(path), "%s/m%d", dir, made++);
    mkdir(path, 0777);
  }
  errno = saved;
  inside = false;
}

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept {
  create();
  return __libc_malloc(size);
}

extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
  create();
  return __libc_calloc(count, size);
}
