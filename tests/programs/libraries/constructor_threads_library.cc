// A library whose constructor starts threads by thrd_create(3), which no shim wraps: their first
// calls come all at once, maybe before anything is set up.
// Ground truth: VICTIM_DIR has one directory a thread. Linked by constructor_threads.
#include <threads.h>

#include "victim.h"

extern "C" {
int constructor_made = 0;
}

namespace {

constexpr int kThreads = 8;
std::atomic<int> made{0};

}  // namespace

__attribute__((constructor)) static void first() {
  const char* dir = std::getenv("VICTIM_DIR");
  if (dir == nullptr) return;
  static victim::Barrier start(kThreads);
  static std::string paths[kThreads];
  thrd_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    paths[i] = std::string(dir) + "/d" + std::to_string(i);
    const auto body = [](void* path) {
      start.wait();
      made += mkdir(static_cast<std::string*>(path)->c_str(), 0777) == 0 ? 1 : 0;
      return 0;
    };
    if (thrd_create(&threads[i], body, &paths[i]) != thrd_success) victim::die("thrd_create");
  }
  for (const thrd_t thread : threads) thrd_join(thread, nullptr);
  constructor_made = made;
}
