// Asks the tracer (tracer=), a separate process, to record what the library cannot see.
// Must never leave a descriptor, change errno, raise SIGPIPE, or wait for more than two seconds;
// without tracer= it makes no system call. Async-signal-safe.
#pragma once

#include "preload/process/exec_target.h"
#include "preload/state.h"
#include "preload/sys/format_text.h"
#include "preload/trace/hand_over.h"

namespace umaskaudit::shim {

inline bool has_tracer() { return !process.options.tracer.empty(); }

// Whether the tracer can record what is behind this blind spot.
bool tracer_covers(trace::Blind reason);

// The tracer's answer to a request. Two bytes, because wrappers of exec keep it on small stacks.
struct HandOver {
  static constexpr std::int16_t kNotAsked = -1;
  std::int16_t answer = kNotAsked;
  bool asked() const { return answer != kNotAsked; }
  bool taken() const { return answer == 0; }
  int error() const { return answer > 0 ? answer : 0; }  // the errno of a refusal
};

// Call before the program's call that `obstacle` is about. Sends no request without an obstacle, or
// for one that the tracer does not cover.
HandOver hand_over_call(trace::HandOverKind kind, const Obstacle& obstacle);
// Call after it, if it returned. No effect if the tracer did not take it.
void tell_call_returned(HandOver call);

// Hands over the process, before it has a second thread.
HandOver hand_over_process(trace::HandOverScope scope);

// Appends " (not traced: Operation not permitted)" if the tracer refused.
void describe_refusal(HandOver request, TextBuffer& text);

// The tracer's process id, from the end of its name; 0: there is none.
long pid_of_tracer(const char* name);

}  // namespace umaskaudit::shim
