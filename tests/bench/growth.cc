// A victim whose work has a size: growth KIND SIZE DIR. Grows to that size first, then times calls
// there, and prints one JSON line: nanoseconds a call of each batch. Must never time the growing.
// Called by tests/bench/growth.py.
//
//   events     SIZE mask changes happened before
//   stacks     mask changes from SIZE distinct stacks, in no order
//   paths      files created in SIZE distinct directories, in no order
//   processes  SIZE processes at once, each creates 200 files; one batch, a "call" is a process
#include <sys/wait.h>
#include <time.h>

#include <string_view>
#include <vector>

#include "tests/programs/victim.h"

namespace umaskaudit::bench {
namespace {

constexpr int kBatches = 30;
constexpr int kCalls = 400;
constexpr int kFilesOfAProcess = 200;

std::int64_t now_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// The same sequence in every run: first each number below `size`, then any of them, far apart.
class Shuffle {
 public:
  explicit Shuffle(std::uint64_t size) : size_(size) {}
  std::uint64_t next() {
    if (given_ < size_) return given_++;
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (state_ >> 33) % size_;
  }

 private:
  std::uint64_t size_;
  std::uint64_t given_ = 0;
  std::uint64_t state_ = 1;
};

// A umask call at the end of a path through eight functions at each level: a number below 8^6 is
// one stack.
template <int kLevel>
struct Path {
  template <int kBranch>
  [[gnu::noinline]] static void step(std::uint64_t number) {
    if constexpr (kLevel == 0) {
      static mode_t other = 077;
      other = umask(other);
    } else {
      Path<kLevel - 1>::walk(number);
    }
    __asm__ volatile("" ::"i"(kBranch));  // no tail call, and no two branches merged into one
  }
  static void walk(std::uint64_t number) {
    static constexpr void (*kSteps[])(std::uint64_t) = {step<0>, step<1>, step<2>, step<3>,
                                                        step<4>, step<5>, step<6>, step<7>};
    kSteps[number % 8](number / 8);
    __asm__ volatile("");
  }
};

void toggle() {
  umask(077);
  umask(022);
}

void create(const std::string& path) {
  close(victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), path.c_str()));
}

void put(const std::vector<double>& wall, const std::vector<double>& cpu) {
  const auto array = [](const char* name, const std::vector<double>& values) {
    std::printf(R"("%s":[)", name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::printf("%s%.1f", i == 0 ? "" : ",", values[i]);
    }
    std::putchar(']');
  };
  std::putchar('{');
  array("ns", wall);
  std::putchar(',');
  array("cpu_ns", cpu);
  std::puts("}");
}

// `turn` makes `calls` audited calls; `between` is not timed. The growing comes first, `growing`
// turns from the very place that the timed ones come from: elsewhere they were other stacks.
template <typename Turn, typename Between>
void time_batches(std::uint64_t growing, int calls, Turn turn, Between between) {
  std::vector<double> wall;
  std::vector<double> cpu;
  for (int batch = -1; batch < kBatches; ++batch) {
    const std::uint64_t turns = batch < 0 ? growing + kCalls : kCalls;
    const std::int64_t cpu_begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    const std::int64_t begin = now_ns(CLOCK_MONOTONIC);
    for (std::uint64_t i = 0; i < turns; ++i) turn();
    const std::int64_t end = now_ns(CLOCK_MONOTONIC);
    const std::int64_t cpu_end = now_ns(CLOCK_THREAD_CPUTIME_ID);
    between();
    if (batch < 0) continue;  // warms up
    wall.push_back(static_cast<double>(end - begin) / (kCalls * calls));
    cpu.push_back(static_cast<double>(cpu_end - cpu_begin) / (kCalls * calls));
  }
  put(wall, cpu);
}

void grow_events(std::uint64_t size) {
  time_batches(size / 2, 2, toggle, [] {});
}

void grow_stacks(std::uint64_t size) {
  Shuffle number(size);
  time_batches(
      size, 1, [&] { Path<5>::walk(number.next()); }, [] {});
}

void grow_paths(std::uint64_t size, const std::string& directory) {
  std::vector<std::string> made;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string path = directory + "/d" + std::to_string(i);
    victim::need(mkdir(path.c_str(), 0777), path.c_str());
  }
  Shuffle number(size);
  time_batches(
      size, 1,
      [&] {
        made.push_back(directory + "/d" + std::to_string(number.next()) + "/f" +
                       std::to_string(made.size()));
        create(made.back());
      },
      [&] {
        for (const std::string& path : made) unlink(path.c_str());
        made.clear();
      });
}

void grow_processes(std::uint64_t size, const std::string& directory, char* self) {
  const std::int64_t begin = now_ns(CLOCK_MONOTONIC);
  for (std::uint64_t i = 0; i < size; ++i) {
    const pid_t child = victim::need(fork(), "fork");
    if (child != 0) continue;
    const std::string number = std::to_string(i);
    execl(self, self, "process", number.c_str(), directory.c_str(), nullptr);
    victim::die("execl");
  }
  for (std::uint64_t i = 0; i < size; ++i) {
    int status = 0;
    victim::need(wait(&status), "wait");
    if (status != 0) victim::die("a child");
  }
  const auto each =
      static_cast<double>(now_ns(CLOCK_MONOTONIC) - begin) / static_cast<double>(size);
  put({each}, {each});
}

int run(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: growth events|stacks|paths|processes SIZE DIR\n", stderr);
    return 2;
  }
  const std::string_view kind = argv[1];
  const std::uint64_t size = std::strtoull(argv[2], nullptr, 10);
  const std::string directory = argv[3];
  umask(022);
  if (kind == "events") {
    grow_events(size);
  } else if (kind == "stacks") {
    grow_stacks(size);
  } else if (kind == "paths") {
    grow_paths(size, directory);
  } else if (kind == "processes") {
    grow_processes(size, directory, argv[0]);
  } else if (kind == "process") {
    for (int i = 0; i < kFilesOfAProcess; ++i) {
      create(directory + "/p" + argv[2] + '-' + std::to_string(i));
    }
  } else {
    std::fprintf(stderr, "growth: unknown kind '%s'\n", argv[1]);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace umaskaudit::bench

int main(int argc, char** argv) { return umaskaudit::bench::run(argc, argv); }
