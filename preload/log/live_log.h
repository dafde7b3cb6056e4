// The live log of a plain LD_PRELOAD: readable lines on stderr or in a file.
// Must never take memory from the program; log_sink.h writes the lines. Called by the shapes when
// log= is on.
#pragma once

#include <cstdint>

#include "preload/record/parent_view.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"

namespace umaskaudit::shim {

// Call only when logs() is true for the kind.
void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack);
// `path` as the program passed it; `dirfd`: the directory that a relative path starts from.
void log_creation(const Author& author, const trace::Create& record, const char* path, int dirfd,
                  const ParentView& parent, const CapturedStack& stack);

// WindowHits: the creations of other threads inside one mask window, counted when the window is
// closed: when the thread that set the mask has restored the previous one.
struct WindowHits {
  std::uint32_t count = 0;  // 0: no hits
  std::uint32_t setter = 0;
  std::uint16_t inside = 0;   // the mask in force inside the window
  std::uint16_t outside = 0;  // the mask before and after
  std::uint32_t victim = 0;   // the thread of the last creation
  std::uint16_t mode = 0;     // of the last creation
  std::uint16_t expected = 0;
};

// Whether changes, or creations, are logged: log= is on, and log_events= includes them. Tested
// before a stack is captured for a line.
inline bool logs(LogEvents kind) {
  const LogEvents events = process.options.log_events;
  return process.log && (events == LogEvents::all || events == kind);
}

// Whether windows have to be detected at run time: for log= or stop_on_overlap=.
inline bool watches_windows() { return process.log || process.options.stop_on_overlap != Stop::no; }

// Logs one warning, and ends the program where stop_on_overlap= asks for it; no effect without
// hits. Called by the later of two threads, the one that restores the mask or the one that has
// created an object, so that a debugger or a core shows both.
void log_window(const Author& author, const WindowHits& hits);
void log_blind_spot(const Author& author, const char* what, const char* text, std::uint32_t length);

// Warns about our own options; these lines are written even with log=off.
void warn(const char* problem, const char* word, unsigned length);

// Warns that the trace= directory cannot be used; `error` is an errno.
void warn_not_recording(int error);

}  // namespace umaskaudit::shim
