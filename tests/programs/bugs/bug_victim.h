// What the bug_*.cc programs share: threads that race freely, and a ledger of what came of it.
// Must never order the race by sleeping, nor ask anybody but fstat(2) who was hit.
// Each program rebuilds one public bug and prints one JSON line: {"created":N,"hits":[...]}.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "victim.h"

namespace bug {

// Objects whose mode is not the one that their maker could expect.
class Ledger {
 public:
  void add(const std::string& path, unsigned mode, unsigned expected) {
    const std::lock_guard<std::mutex> guard(mutex_);
    ++created_;
    if (mode != expected) hits_.push_back({path, mode, expected});
  }
  void print() const {
    std::printf(R"({"created":%u,"hits":[)", created_);
    const char* comma = "";
    for (const Hit& hit : hits_) {
      std::printf(R"(%s{"path":"%s","mode":"%04o","expected":"%04o"})", comma, hit.path.c_str(),
                  hit.mode, hit.expected);
      comma = ",";
    }
    std::puts("]}");
  }

 private:
  struct Hit {
    std::string path;
    unsigned mode, expected;
  };
  mutable std::mutex mutex_;
  std::vector<Hit> hits_;
  unsigned created_ = 0;
};

// Creates files below `dir` until `count` of them are there, asking for `requested`.
inline void create_files(Ledger& ledger, const std::string& dir, const char* name, int count,
                         unsigned requested, unsigned mask) {
  for (int i = 0; i < count; ++i) {
    const std::string path = dir + '/' + name + std::to_string(i);
    const int fd = victim::need(
        open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, requested), path.c_str());
    ledger.add(path, victim::mode_of(fd), requested & ~mask);
    close(fd);
  }
}

inline void create_directories(Ledger& ledger, const std::string& dir, const char* name, int count,
                               unsigned requested, unsigned mask) {
  for (int i = 0; i < count; ++i) {
    const std::string path = dir + '/' + name + std::to_string(i);
    victim::need(mkdir(path.c_str(), requested), path.c_str());
    ledger.add(path, victim::mode_of(path), requested & ~mask);
  }
}

// A thread that repeats something until another one is done may have a processor for itself while
// the other has none: this many times are enough, and what they record is bounded.
constexpr int kMostRepeats = 200'000;

// Runs `work` in a thread of its own while `other` repeats in this one, until work is done.
template <typename Work, typename Other>
void race(const char* worker_name, const Work& work, const Other& other) {
  std::atomic<bool> done{false};
  victim::Barrier start(2);
  std::thread worker([&] {
    victim::name_thread(worker_name);
    start.wait();
    work();
    done = true;
  });
  start.wait();
  for (int left = kMostRepeats; !done && left > 0; --left) other();
  worker.join();
}

// Objects of each race: the second argument, else 2000.
inline int count_of(int argc, char** argv) { return argc > 2 ? std::atoi(argv[2]) : 2000; }

}  // namespace bug
