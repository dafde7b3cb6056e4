// What libunwind would cost inside an audited program, beside the shim's own stack walk: time for a
// walk, time to load, descriptors, memory of threads, and what it says after dlclose(3).
// Must never be part of the tests: it shows what was measured once, in preload/unwind/README.md.
// Usage: unwind SMALL_FRAME_LIBRARY LARGE_FRAME_LIBRARY (built for tests/unit/preload).

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "preload/unwind/unwind.h"

namespace {

using umaskaudit::shim::StackWalk;
using umaskaudit::shim::walk_stack;
using Backtrace = int (*)(void**, int);

Backtrace their_backtrace;
std::uintptr_t ours[64];
void* theirs[64];
unsigned our_count;
int their_count;

std::uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1000000000 + static_cast<std::uint64_t>(t.tv_nsec);
}

[[gnu::noinline]] void walk_ours() {
  our_count = walk_stack(UMASKAUDIT_STACK_START(), ours, 16).count;
}
[[gnu::noinline]] void walk_theirs() { their_count = their_backtrace(theirs, 16); }

[[gnu::noinline]] int at_depth(int depth, void (*body)()) {
  if (depth == 0) {
    body();
  } else {
    at_depth(depth - 1, body);
  }
  asm volatile("" : : : "memory");
  return depth;
}

// Medians of batches, the two alternating.
void time_walks() {
  constexpr int kBatch = 1000;
  constexpr int kRounds = 201;
  static std::vector<double> nanoseconds[2];
  at_depth(20, [] {
    for (int round = 0; round < kRounds * 2; ++round) {
      void (*const body)() = round % 2 == 0 ? walk_ours : walk_theirs;
      const std::uint64_t begin = now();
      for (int i = 0; i < kBatch; ++i) body();
      nanoseconds[round % 2].push_back(static_cast<double>(now() - begin) / kBatch);
    }
  });
  for (int who = 0; who < 2; ++who) {
    auto& values = nanoseconds[who];
    std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
    std::printf("16 frames, warm, %s: %.0f ns\n", who == 0 ? "ours" : "unw_backtrace",
                values[kRounds / 2]);
  }
}

long anonymous_kib() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[128];
  long kib = 0;
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::sscanf(line, "RssAnon: %ld", &kib) == 1) break;
  }
  std::fclose(status);
  return kib;
}

pthread_barrier_t walked;
pthread_barrier_t measured;

// Resident memory of 100 threads that have each walked once, per thread.
void measure_threads(const char* name, void (*body)()) {
  constexpr int kThreads = 100;
  pthread_barrier_init(&walked, nullptr, kThreads + 1);
  pthread_barrier_init(&measured, nullptr, kThreads + 1);
  pthread_t threads[kThreads];
  const long before = anonymous_kib();
  for (pthread_t& thread : threads) {
    pthread_create(
        &thread, nullptr,
        [](void* argument) -> void* {
          void (*walk)() = nullptr;
          std::memcpy(&walk, &argument, sizeof walk);
          if (walk != nullptr) walk();
          pthread_barrier_wait(&walked);
          pthread_barrier_wait(&measured);
          return nullptr;
        },
        reinterpret_cast<void*>(body));
  }
  pthread_barrier_wait(&walked);
  const long after = anonymous_kib();
  pthread_barrier_wait(&measured);
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  std::printf("100 threads, %s: %.1f KiB each\n", name,
              static_cast<double>(after - before) / kThreads);
}

using Call = void (*)(void (*)());

// Other code at the same address: the frames behind the library's own.
void show_reload(const char* small, const char* large) {
  void* first = nullptr;
  for (const char* path : {small, large}) {
    void* library = dlopen(path, RTLD_NOW);
    if (library == nullptr) return;
    const auto call = reinterpret_cast<Call>(dlsym(library, "call_from_library"));
    call(walk_theirs);
    std::printf("%s: return address %s, unw_backtrace finds %d frames", path,
                theirs[1] == first ? "as before" : "new", their_count);
    first = theirs[1];
    if (path == large) umaskaudit::shim::forget_code();
    call(walk_ours);
    std::printf(", ours %u\n", our_count);
    dlclose(library);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::uint64_t begin = now();
  void* libunwind = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
  const std::uint64_t loaded = now();
  if (libunwind == nullptr) return 1;
  their_backtrace = reinterpret_cast<Backtrace>(dlsym(libunwind, "unw_backtrace"));
  walk_theirs();
  std::printf("dlopen: %.0f us; first unw_backtrace: %.0f us\n",
              static_cast<double>(loaded - begin) / 1e3, static_cast<double>(now() - loaded) / 1e3);
  time_walks();
  measure_threads("no walk", nullptr);
  measure_threads("ours", walk_ours);
  measure_threads("unw_backtrace", walk_theirs);
  show_reload(argv[1], argv[2]);
  return 0;
}
