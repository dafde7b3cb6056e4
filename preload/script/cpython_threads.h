// ThreadStates: the thread states of CPython in which the calling thread has Python frames. A
// thread has one for each interpreter that it is inside of: it enters a subinterpreter from Python
// code of another interpreter, whose frames stay below those of the subinterpreter.
// Must never fault: another thread may end an interpreter meanwhile, so the lists of interpreters
// and of their threads are read by copies.
#pragma once

#include <cstdint>

#include "preload/script/cpython_layout.h"

namespace umaskaudit::shim::cpython_runtime {

struct ThreadStates {
  static constexpr unsigned kMost = 4;
  std::uintptr_t states[kMost] = {};  // addresses of PyThreadState, innermost interpreter first
  unsigned count = 0;
  bool partial = false;  // the thread is inside other interpreters too, in an order not known
};

// The innermost Python frame of a thread state; 0: it runs no Python code. False: not readable.
bool first_frame(Peek& memory, const Structures& python, std::uintptr_t state,
                 std::uintptr_t& frame);

// `own` is what PyGILState_GetThisThreadState() returned, `holder` the state that holds the GIL, or
// 0. Empty where the thread has no frames. Safe in signal handlers.
ThreadStates thread_states(const Structures& python, std::uintptr_t own, std::uintptr_t holder,
                           Window& window);

}  // namespace umaskaudit::shim::cpython_runtime
