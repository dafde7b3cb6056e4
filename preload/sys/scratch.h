// Memory that must not lie on the program's stack: threads with PTHREAD_STACK_MIN, coroutines and
// signal stacks have little of it.
// Must never wait: when all is taken, there is none. An owner may vanish without giving back (a
// handler's longjmp(3), an asynchronous pthread_cancel(3), a vfork child's exec): what it held is
// taken over by the next owner at the same address, and by any other as soon as all is taken.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

// A buffer for a path or a log line, taken when it is first asked for.
class Scratch {
 public:
  static constexpr std::size_t kSize = 8192;
  Scratch() = default;
  ~Scratch() {
    if (at_ != nullptr) give_back();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Null when there is no buffer left.
  char* get() const {
    if (at_ == nullptr) take();
    return at_;
  }

 private:
  void take() const;
  void give_back() const;

  // The first member: an object whose first word is another one no longer holds the buffer.
  mutable char* at_ = nullptr;
};

// In a forked child: buffers held by threads that do not exist there are free again.
void release_all_scratch();

// Any number of bytes, mapped for the time between: an environment has no largest size.
class Room {
 public:
  explicit Room(std::size_t size);
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // Null for a size of 0, and when nothing could be mapped.
  char* get() const { return at_; }

 private:
  char* place_;  // the first member, as in Scratch
  char* at_;
};

}  // namespace umaskaudit::shim
