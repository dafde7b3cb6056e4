// Finds the interpreters that the calling thread is inside of; see cpython_threads.h.
// Sources: Python/pystate.c and Include/internal/pycore_interp.h of CPython 3.6 to 3.14.

#include "preload/script/cpython_threads.h"

#include "preload/sys/own_stack.h"

namespace umaskaudit::shim::cpython_runtime {

namespace {

constexpr unsigned kNextThread = 8;  // in PyThreadState of every version
// A longer list is taken for a damaged one.
constexpr unsigned kMostInterpreters = 256;
constexpr unsigned kMostThreads = 4096;

// A new interpreter becomes the first of the list, so the main interpreter is the first one only
// while it is alone. True as well in versions that do not tell.
bool is_alone(const Structures& python) {
  if (python.first_interpreter == nullptr || python.main_interpreter == nullptr) return true;
  return python.first_interpreter() == python.main_interpreter();
}

// The states of the calling thread that have frames, in the order of the lists.
class Search {
 public:
  Search(const Structures& python, std::uintptr_t own, Peek& memory)
      : python_(python), memory_(memory), own_(own), self_(thread_handle()) {}

  // False: a list cannot be followed to its end, or there are more states than fit, or the layout
  // is another one: the thread's own state must be found with the thread's number.
  bool search(ThreadStates& found) {
    auto interpreter = reinterpret_cast<std::uintptr_t>(python_.first_interpreter());
    for (unsigned steps = 0; interpreter != 0; ++steps) {
      std::uintptr_t thread = 0;
      if (steps == kMostInterpreters || !memory_.get(interpreter + python_.threads_head, thread) ||
          !search_threads(thread, found) ||
          !memory_.get(interpreter + python_.next_interpreter, interpreter)) {
        return false;
      }
    }
    return has_own_;
  }

 private:
  bool search_threads(std::uintptr_t thread, ThreadStates& found) {
    for (; thread != 0; ++threads_) {
      std::uintptr_t number = 0;
      if (threads_ == kMostThreads || !memory_.get(thread + python_.thread_number, number)) {
        return false;
      }
      if (number == self_ && !add(thread, found)) return false;
      if (!memory_.get(thread + kNextThread, thread)) return false;
    }
    return true;
  }

  bool add(std::uintptr_t thread, ThreadStates& found) {
    if (thread == own_) has_own_ = true;
    std::uintptr_t frame = 0;
    if (!first_frame(memory_, python_, thread, frame)) return false;
    if (frame == 0) return true;
    if (found.count == ThreadStates::kMost) return false;
    found.states[found.count++] = thread;
    return true;
  }

  const Structures& python_;
  Peek& memory_;
  std::uintptr_t own_, self_;
  unsigned threads_ = 0;
  bool has_own_ = false;
};

// A list that another thread changes at the moment may lead nowhere.
bool search_again(const Structures& python, std::uintptr_t own, Peek& memory, ThreadStates& found) {
  constexpr unsigned kMostTimes = 3;
  for (unsigned times = 0; times < kMostTimes; ++times) {
    found.count = 0;
    memory.forget();
    if (Search(python, own, memory).search(found)) return true;
  }
  return false;
}

// The stack grows down, and the structure that has a state's innermost frame lies on it: the state
// that was entered last has the lowest. False: this version has none there.
bool sort_by_stack(const Structures& python, Peek& memory, ThreadStates& found) {
  if (python.thread_c_frame == 0) return false;
  std::uintptr_t places[ThreadStates::kMost];
  for (unsigned i = 0; i < found.count; ++i) {
    const std::uintptr_t state = found.states[i];
    std::uintptr_t place = 0;
    if (!memory.get(state + python.thread_c_frame, place)) return false;
    unsigned at = i;
    for (; at > 0 && places[at - 1] > place; --at) {
      places[at] = places[at - 1];
      found.states[at] = found.states[at - 1];
    }
    places[at] = place;
    found.states[at] = state;
  }
  return true;
}

// Moves `state` to the front. False: it is not among them.
bool move_to_front(std::uintptr_t state, ThreadStates& found) {
  for (unsigned i = 0; i < found.count; ++i) {
    if (found.states[i] != state) continue;
    for (; i > 0; --i) found.states[i] = found.states[i - 1];
    found.states[0] = state;
    return true;
  }
  return false;
}

}  // namespace

bool first_frame(Peek& memory, const Structures& python, std::uintptr_t state,
                 std::uintptr_t& frame) {
  return memory.get(state + python.thread_frame, frame) &&
         (!python.has_c_frame || memory.get(frame + python.c_frame_frame, frame));
}

ThreadStates thread_states(const Structures& python, std::uintptr_t own, std::uintptr_t holder,
                           Window& window) {
  ThreadStates found;
  if (__builtin_expect(!is_alone(python), 0)) {
    Peek memory(Peek::Way::copies, window);
    if (search_again(python, own, memory, found)) {
      if (found.count < 2 || sort_by_stack(python, memory, found)) return found;
      // The state that holds the GIL executes. Since 3.12, PyGILState_GetThisThreadState() returns
      // the state that executes; before, it returns the first state of the thread.
      const bool knows_first =
          move_to_front(holder, found) || (python.minor >= 12 && move_to_front(own, found));
      if (knows_first && found.count == 2) return found;
      if (knows_first) own = found.states[0];
    }
    found.partial = true;
  }
  found.states[0] = own;
  found.count = 1;
  return found;
}

}  // namespace umaskaudit::shim::cpython_runtime
