// The shim's parts, each alone, by Google Benchmark: mask snapshot, umask call, record, interning,
// stack walk. Linked to single objects of the shim, as the race test is; nothing is preloaded.
// Must never be part of scripts/test. By hand: parts_shim [--benchmark_filter=...]; scripts/bench
// takes the numbers that count, in whole programs.
#include <benchmark/benchmark.h>
#include <execinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "preload/mask/fs_context.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/stack/stacks.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {
namespace {

constexpr int kFrames = 16;

// A stack of distinct frames, as real programs have; a recursion would be one return address.
template <int kFrame, typename Body>
[[gnu::noinline]] void deep(const Body& body) {
  if constexpr (kFrame > 0) {
    deep<kFrame - 1>(body);
    __asm__ volatile("");
  } else {
    body();
  }
}

// A run directory with an open segment, for as long as the benchmarks run.
class Recording {
 public:
  Recording() {
    if (mkdtemp(directory_) == nullptr) std::abort();
    process.pid.store(static_cast<std::uint32_t>(getpid()));
    process.options.depth = kFrames;
    process.options.max_size = std::uint64_t{1} << 30;
    if (open_segment(directory_, static_cast<std::uint32_t>(getpid())) != 0) std::abort();
    process.trace = true;
    make_first_context();
  }
  ~Recording() {
    if (system(("rm -rf '" + std::string(directory_) + "'").c_str()) != 0) std::perror("rm");
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  char directory_[64] = "/dev/shm/umaskaudit-parts-XXXXXX";
};

void enter_task(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(enter());
}
BENCHMARK(enter_task);

void mask_snapshot(benchmark::State& state) {
  const Task task = enter();
  for (auto _ : state) benchmark::DoNotOptimize(snapshot(task));
}
BENCHMARK(mask_snapshot);

void native_umask(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(umask(022));
}
BENCHMARK(native_umask);

void locked_umask(benchmark::State& state) {
  const Task task = enter();
  for (auto _ : state) benchmark::DoNotOptimize(change_mask(task, 022, umask));
}
BENCHMARK(locked_umask);

void record_of_128_bytes(benchmark::State& state) {
  const Author author{enter().tid, process.pid.load(), 1, 0};
  const char text[88] = {};
  const trace::Note note{1, sizeof text};
  for (auto _ : state) {
    write_record(trace::RecordType::note, author, note, {text, sizeof text});
  }
}
BENCHMARK(record_of_128_bytes)->Iterations(1 << 20);  // a segment has an end

void known_path(benchmark::State& state) {
  const Author author{enter().tid, process.pid.load(), 1, 0};
  const std::string path = "/a/directory/of/a/usual/length";
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        intern_path(author, path.c_str(), static_cast<std::uint32_t>(path.size())));
  }
}
BENCHMARK(known_path);

void captured_stack(benchmark::State& state) {
  const Author author{enter().tid, process.pid.load(), 1, 0};
  deep<kFrames>([&] {
    CapturedStack stack;
    for (auto _ : state) capture_stack(Event::other, author, UMASKAUDIT_STACK_START(), stack);
  });
}
BENCHMARK(captured_stack);

void walked_stack(benchmark::State& state) {
  deep<kFrames>([&] {
    std::uintptr_t pcs[kFrames];
    for (auto _ : state) {
      benchmark::DoNotOptimize(walk_stack(UMASKAUDIT_STACK_START(), pcs, kFrames));
    }
  });
}
BENCHMARK(walked_stack);

void walked_by_libunwind(benchmark::State& state) {
  deep<kFrames>([&] {
    void* pcs[kFrames];
    for (auto _ : state) benchmark::DoNotOptimize(unw_backtrace(pcs, kFrames));
  });
}
BENCHMARK(walked_by_libunwind);

void walked_by_glibc(benchmark::State& state) {
  deep<kFrames>([&] {
    void* pcs[kFrames];
    for (auto _ : state) benchmark::DoNotOptimize(backtrace(pcs, kFrames));
  });
}
BENCHMARK(walked_by_glibc);

}  // namespace
}  // namespace umaskaudit::shim

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const umaskaudit::shim::Recording recording;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
