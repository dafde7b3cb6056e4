// Instructions and cycles of the calling thread, by perf_event_open(2): noise cannot touch them.
// Must never fail a measurement: where the kernel or the machine has none, it says so with -1.
// Called by loops.cc around each batch.
#pragma once

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace umaskaudit::bench {

struct Counts {
  std::int64_t user = -1;    // instructions of the program and everything preloaded into it
  std::int64_t kernel = -1;  // instructions of its system calls
  std::int64_t cycles = -1;  // of both
};

class Counters {
 public:
  Counters() : descriptors_{open_user(), open_kernel(), open_cycles()} {}
  ~Counters() {
    for (const int fd : descriptors_) {
      if (fd >= 0) close(fd);
    }
  }
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  // Totals since construction, of the thread that constructed it.
  Counts read_now() const {
    return {read_one(descriptors_[0]), read_one(descriptors_[1]), read_one(descriptors_[2])};
  }

 private:
  static perf_event_attr attributes(std::uint64_t what) {
    perf_event_attr wanted;
    std::memset(&wanted, 0, sizeof wanted);
    wanted.size = sizeof wanted;
    wanted.type = PERF_TYPE_HARDWARE;
    wanted.config = what;
    wanted.exclude_hv = 1;
    return wanted;
  }
  static int open_one(perf_event_attr* wanted) {
    return static_cast<int>(syscall(SYS_perf_event_open, wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
  }
  static int open_user() {
    perf_event_attr wanted = attributes(PERF_COUNT_HW_INSTRUCTIONS);
    wanted.exclude_kernel = 1;
    return open_one(&wanted);
  }
  static int open_kernel() {
    perf_event_attr wanted = attributes(PERF_COUNT_HW_INSTRUCTIONS);
    wanted.exclude_user = 1;
    return open_one(&wanted);
  }
  static int open_cycles() {
    perf_event_attr wanted = attributes(PERF_COUNT_HW_CPU_CYCLES);
    return open_one(&wanted);
  }
  static std::int64_t read_one(int fd) {
    std::int64_t value = 0;
    return fd >= 0 && read(fd, &value, sizeof value) == sizeof value ? value : -1;
  }

  std::array<int, 3> descriptors_;
};

}  // namespace umaskaudit::bench
