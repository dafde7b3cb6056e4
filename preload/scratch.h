// Buffers for paths and log lines that must not lie on the program's stack: threads with
// PTHREAD_STACK_MIN, coroutines and signal stacks have little of it.
// Must never wait: when all are taken (or their owners were killed by longjmp), there is none.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

class Scratch {
 public:
  static constexpr std::size_t kSize = 8192;
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Null when there is no buffer left.
  char* get() const { return at_; }

 private:
  char* at_;
};

// In a forked child: buffers held by threads that do not exist there are free again.
void release_all_scratch();

}  // namespace umaskaudit::shim
