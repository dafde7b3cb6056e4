// Scratch: a buffer that is not on the program's stack, because threads with PTHREAD_STACK_MIN,
// coroutines and signal stacks have little of it.
// Must never wait: when all buffers are taken, there is none. An owner may vanish without release
// (a handler's longjmp(3), an asynchronous pthread_cancel(3), a vfork child's exec): its buffer is
// taken over by the next owner at the same address, or by any other once all are taken.
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

// A buffer for a path or a log line, taken at the first get().
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

  // The first member: when it no longer points to the slot, the object has lost the buffer.
  mutable char* at_ = nullptr;
};

// In a forked child: frees the buffers of threads that do not exist there.
void release_all_scratch();

// A mapping of any size, for one scope: an environment has no maximum size.
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
