// A victim that times its own loops: loops WORK DIR [--threads N] [--directories N] [--calls N]
// [--batches N] [--relative] [--parts]. Prints one JSON line: nanoseconds a call of each batch, and
// what the counters saw. Must never time what prepares or cleans a batch. Called by scripts/bench.
#include <getopt.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <climits>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/bench/counters.h"
#include "tests/bench/loop_works.h"

namespace umaskaudit::bench {
namespace {

constexpr int kStackDepth = 20;  // more than the 16 frames that are recorded

struct Options {
  const Work* work = nullptr;
  std::string directory;
  int threads = 1;
  int directories = 1;
  int calls = 400;
  int batches = 30;
  bool relative = false;
  bool parts = false;  // with the system calls that the shim makes, bare
};

struct Sample {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t cpu_ns = 0;
  Counts counts;
};

std::int64_t now_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "usage: loops WORK DIR [--threads N] [--directories N] [--calls N] "
               "[--batches N] [--relative] [--parts]\nworks:");
  for (const Work& work : kWorks) std::fprintf(stderr, " %s", std::string(work.name).c_str());
  std::fputc('\n', stderr);
  std::exit(2);
}

int positive(const char* text) {
  const long value = std::strtol(text, nullptr, 10);
  if (value < 1 || value > 1000000) usage();
  return static_cast<int>(value);
}

Options parse(int argc, char** argv) {
  const option known[] = {{"threads", required_argument, nullptr, 't'},
                          {"directories", required_argument, nullptr, 'd'},
                          {"calls", required_argument, nullptr, 'c'},
                          {"batches", required_argument, nullptr, 'b'},
                          {"relative", no_argument, nullptr, 'r'},
                          {"parts", no_argument, nullptr, 'p'},
                          {nullptr, 0, nullptr, 0}};
  Options options;
  for (int which; (which = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (which) {
      case 't':
        options.threads = positive(optarg);
        break;
      case 'd':
        options.directories = positive(optarg);
        break;
      case 'c':
        options.calls = positive(optarg);
        break;
      case 'b':
        options.batches = positive(optarg);
        break;
      case 'r':
        options.relative = true;
        break;
      case 'p':
        options.parts = true;
        break;
      default:
        usage();
    }
  }
  if (argc - optind != 2) usage();
  const auto* found = std::find_if(kWorks.begin(), kWorks.end(),
                                   [&](const Work& work) { return work.name == argv[optind]; });
  if (found == kWorks.end()) usage();
  options.work = found;
  options.directory = argv[optind + 1];
  return options;
}

// The paths of one thread, one for each turn.
std::vector<std::string> paths_of(const Options& options, int thread) {
  const std::string id = std::to_string(thread);
  std::string prefix = options.relative ? "" : options.directory + '/';
  if (options.directories > 1) prefix += "d" + std::to_string(thread % options.directories) + '/';
  if (options.work->target == Target::queue) {
    prefix = "/umaskaudit-bench-" + std::to_string(getpid()) + '-';
  }
  const auto calls = static_cast<std::size_t>(options.calls);
  std::vector<std::string> paths;
  if (options.work->target != Target::fresh && options.work->target != Target::queue) {
    paths.assign(calls, prefix + "existing-" + id);
    return paths;
  }
  prefix += "new-" + id + '-';
  for (std::size_t turn = 0; turn < calls; ++turn) paths.push_back(prefix + std::to_string(turn));
  return paths;
}

// Distinct frames, as real programs have: a recursion would be one return address.
template <int kFrame, typename Turn>
[[gnu::noinline]] void run_batch(const std::vector<std::string>& paths, Turn turn) {
  if constexpr (kFrame > 0) {
    run_batch<kFrame - 1>(paths, turn);
    __asm__ volatile("");  // no tail call: the frame stays
  } else {
    for (const std::string& path : paths) turn(path.c_str());
  }
}

void run_turns(const Options& options, const std::vector<std::string>& paths) {
  const Work& work = *options.work;
  const auto turn =
      options.parts && work.turn_with_parts != nullptr ? work.turn_with_parts : work.turn;
  if (!options.parts || !options.relative) return run_batch<kStackDepth>(paths, turn);
  // Only the whole path names what was made: the shim asks for the working directory.
  run_batch<kStackDepth>(paths, [turn](const char* path) {
    std::array<char, PATH_MAX> directory;
    turn(path);
    if (getcwd(directory.data(), directory.size()) == nullptr) victim::die("getcwd");
  });
}

void pin(int thread) {
  cpu_set_t allowed;
  victim::need(sched_getaffinity(0, sizeof allowed, &allowed), "sched_getaffinity");
  int left = thread % CPU_COUNT(&allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || left-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    victim::need(sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
    return;
  }
}

void run_thread(const Options& options, int thread, victim::Barrier& barrier,
                std::vector<Sample>& samples) {
  pin(thread);
  const Work& work = *options.work;
  const std::vector<std::string> paths = paths_of(options, thread);
  if (work.target == Target::existing) close_new(creat(paths[0].c_str(), 0666), "creat");
  const Counters counters;
  // One batch more than asked for: the first one warms up.
  for (int batch = -1; batch < options.batches; ++batch) {
    barrier.wait();
    Sample sample;
    const Counts before = counters.read_now();
    const std::int64_t cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
    sample.begin_ns = now_ns(CLOCK_MONOTONIC);
    run_turns(options, paths);
    sample.end_ns = now_ns(CLOCK_MONOTONIC);
    sample.cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    const Counts after = counters.read_now();
    sample.counts = {after.user - before.user, after.kernel - before.kernel,
                     after.cycles - before.cycles};
    if (batch >= 0) samples[static_cast<std::size_t>(batch)] = sample;
    barrier.wait();
    if (work.remove == nullptr) continue;
    for (const std::string& path : paths) victim::need(work.remove(path.c_str()), path.c_str());
  }
  if (work.target == Target::existing) unlink(paths[0].c_str());
}

// A field of /proc/self/status in KiB: proc(5).
long resident(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) {
      return std::strtol(line.c_str() + field.size() + 1, nullptr, 10);
    }
  }
  return -1;
}

using Batches = std::vector<std::vector<Sample>>;  // [thread][batch]

template <typename Value>
void print_array(const char* name, const Options& options, Value value) {
  std::printf(R"(,"%s":[)", name);
  const double turns = options.calls * options.work->calls;
  for (int batch = 0; batch < options.batches; ++batch) {
    std::printf("%s%.1f", batch == 0 ? "" : ",",
                static_cast<double>(value(static_cast<std::size_t>(batch))) / turns);
  }
  std::putchar(']');
}

void print(const Options& options, const Batches& all) {
  std::printf(R"({"work":"%s","threads":%d,"directories":%d,"calls":%d)",
              std::string(options.work->name).c_str(), options.threads, options.directories,
              options.calls);
  // From the first thread's start to the last one's end.
  print_array("ns", options, [&](std::size_t batch) {
    std::int64_t begin = all[0][batch].begin_ns;
    std::int64_t end = all[0][batch].end_ns;
    for (const auto& samples : all) {
      begin = std::min(begin, samples[batch].begin_ns);
      end = std::max(end, samples[batch].end_ns);
    }
    return end - begin;
  });
  const std::vector<Sample>& first = all[0];
  print_array("cpu_ns", options, [&](std::size_t batch) { return first[batch].cpu_ns; });
  print_array("user", options, [&](std::size_t batch) { return first[batch].counts.user; });
  print_array("kernel", options, [&](std::size_t batch) { return first[batch].counts.kernel; });
  print_array("cycles", options, [&](std::size_t batch) { return first[batch].counts.cycles; });
  std::printf(R"(,"anon_kib":%ld,"file_kib":%ld,"shmem_kib":%ld})"
              "\n",
              resident("RssAnon"), resident("RssFile"), resident("RssShmem"));
}

int run(const Options& options) {
  umask(022);
  for (int i = 0; options.directories > 1 && i < options.directories; ++i) {
    mkdir((options.directory + "/d" + std::to_string(i)).c_str(), 0777);
  }
  if (options.relative) victim::need(chdir(options.directory.c_str()), "chdir");
  victim::Barrier barrier(static_cast<unsigned>(options.threads));
  Batches all(static_cast<std::size_t>(options.threads),
              std::vector<Sample>(static_cast<std::size_t>(options.batches)));
  std::vector<std::thread> threads;
  for (int i = 1; i < options.threads; ++i) {
    threads.emplace_back([&options, &barrier, &all, i] {
      run_thread(options, i, barrier, all[static_cast<std::size_t>(i)]);
    });
  }
  run_thread(options, 0, barrier, all[0]);
  for (std::thread& thread : threads) thread.join();
  print(options, all);
  return 0;
}

}  // namespace
}  // namespace umaskaudit::bench

int main(int argc, char** argv) {
  return umaskaudit::bench::run(umaskaudit::bench::parse(argc, argv));
}
