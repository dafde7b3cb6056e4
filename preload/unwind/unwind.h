// Walks the calling thread's stack.
// Must never lock, allocate, open, or read memory that is not there: it runs in signal handlers,
// vfork children and threads with broken frames. README.md beside this says why it is not
// libunwind.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// Where to start: a wrapper's own frame, so that the shim itself never shows up in a stack.
struct StackStart {
  std::uintptr_t pc;  // return address into the caller
  std::uintptr_t sp;  // the caller's stack pointer after the return
  std::uintptr_t fp;  // and its frame pointer register
};

// To be used in the wrapper itself (the shim keeps frame pointers, so the caller's is at [fp]).
#define UMASKAUDIT_STACK_START() \
  (::umaskaudit::shim::stack_start(static_cast<std::uintptr_t*>(__builtin_frame_address(0))))
inline StackStart stack_start(const std::uintptr_t* frame) {
  return {frame[1], reinterpret_cast<std::uintptr_t>(frame + 2), frame[0]};
}

struct StackWalk {
  unsigned count = 0;
  bool truncated = false;    // `room` was used up before the outermost frame
  bool guessed = false;      // a frame without unwind tables was crossed by its frame pointer
  bool interrupted = false;  // a signal frame was crossed
  bool tableless = false;    // the last frame is an object's code, of which it has no tables
};

// The frames that were crossed by their frame pointers, which only a debugger of generated code can
// make more of: the runtimes of scripts.
class LinkedFrames {
 public:
  static constexpr unsigned kMost = 36;
  struct One {
    std::uintptr_t pc;
    std::uintptr_t fp;
    unsigned place;  // among the walk's return addresses
  };

  // `pcs`: of the walk, which stay there.
  void restart(const std::uintptr_t* pcs) {
    pcs_ = pcs;
    count_ = 0;
    more_ = false;
  }
  void add(std::uintptr_t fp, unsigned place) {
    if (count_ == kMost) {
      more_ = true;
      return;
    }
    fps_[count_] = fp;
    places_[count_++] = static_cast<std::uint8_t>(place);
  }

  unsigned count() const { return count_; }
  bool more() const { return more_; }  // than there is room for
  One at(unsigned i) const { return {pcs_[places_[i]], fps_[i], places_[i]}; }

 private:
  const std::uintptr_t* pcs_ = nullptr;
  unsigned count_ = 0;
  bool more_ = false;
  std::uintptr_t fps_[kMost];
  std::uint8_t places_[kMost];
};

struct WalkWords;
struct RuleSpace;

// Fills `pcs` (at most `room`) with return addresses, innermost first. With `words`, says what
// another walk would have to meet again to give the same (memory.h).
StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room,
                     WalkWords* words = nullptr);
// The same for a caller whose stack may be small: `space` (cfi.h) is overwritten. `linked` may be
// null.
StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room, WalkWords* words,
                     RuleSpace& space, LinkedFrames* linked = nullptr);

// Code of an object, without tables, that is known to keep frame pointers: from now on it is walked
// like generated code. A few ranges at most; false: one too many.
struct CodeRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;  // not above `begin`: none
};
bool follow_frame_pointers_in(const CodeRange& range);
// The code around `pc` for which its object has no tables.
CodeRange tableless_code(std::uintptr_t pc);

// True when the frames from `start` lead, without a guess, to the outermost one of the calling
// thread, and all of them are on its own stack (own_stack.h). A function on memory of its own has
// no such callers, wherever that memory lies.
bool is_on_own_stack(const StackStart& start, RuleSpace& space);

// After dlclose(3): what is known about code addresses may be about other code from now on.
void forget_code();

}  // namespace umaskaudit::shim
