// Asks the tracer, a process of its own, to record what the library cannot see (tracer=).
// Must never leave a descriptor, change errno, raise SIGPIPE, or wait for longer than two seconds;
// without tracer= it makes no system call. Async-signal-safe.
// Called by the wrappers of exec and spawn, of what libc starts by itself, and by init.
#pragma once

#include "preload/process/exec_target.h"
#include "preload/state.h"
#include "preload/sys/format_text.h"
#include "preload/trace/hand_over.h"

namespace umaskaudit::shim {

inline bool has_tracer() { return !process.options.tracer.empty(); }

// Whether the tracer can record what `reason` hides from us.
bool tracer_covers(trace::Blind reason);

// What the tracer made of a request. Two bytes: wrappers of exec keep it on stacks that are short.
struct HandOver {
  static constexpr std::int16_t kNotAsked = -1;
  std::int16_t answer = kNotAsked;
  bool asked() const { return answer != kNotAsked; }
  bool taken() const { return answer == 0; }
  int error() const { return answer > 0 ? answer : 0; }  // why not: an errno
};

// Before the calling thread makes the call that `obstacle` stands in the way of. Nothing is asked
// where nothing stands in the way, or what the tracer does not cover.
HandOver hand_over_call(trace::HandOverKind kind, const Obstacle& obstacle);
// After it, where it came back. For one that was not taken: nothing.
void tell_call_returned(HandOver call);

// The process, before it has a second thread.
HandOver hand_over_process(trace::HandOverScope scope);

// Appends " (not traced: Operation not permitted)" where the tracer refused.
void describe_refusal(HandOver request, TextBuffer& text);

// The tracer's own process id, as its name ends; 0: there is none.
long pid_of_tracer(const char* name);

}  // namespace umaskaudit::shim
