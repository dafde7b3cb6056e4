// The live log of a plain LD_PRELOAD: readable lines on stderr or in a file.
// Must never take memory from the program; where the lines go, and what is never done to get them
// there: log_sink.h. Called by the shapes when log= is on.
#pragma once

#include <cstdint>

#include "preload/record/parent_view.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"

namespace umaskaudit::shim {

// Of kinds that have lines: logs().
void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack);
// `path` as the program passed it, `dirfd` what a relative one begins at.
void log_creation(const Author& author, const trace::Create& record, const char* path, int dirfd,
                  const ParentView& parent, const CapturedStack& stack);

// Creations of other threads inside one window, once it is known to be one: the thread that set
// the mask has put the old one back.
struct WindowHits {
  std::uint32_t count = 0;  // 0: nothing to say
  std::uint32_t setter = 0;
  std::uint16_t inside = 0;   // the mask that they met
  std::uint16_t outside = 0;  // the mask before and after
  std::uint32_t victim = 0;   // the thread of the last one
  std::uint16_t mode = 0;     // as it came out
  std::uint16_t expected = 0;
};

// Whether changes, or creations, have lines: log= is on, and log_events= does not leave them out.
// Asked before a stack is taken for a line.
inline bool logs(LogEvents kind) {
  const LogEvents events = process.options.log_events;
  return process.log && (events == LogEvents::all || events == kind);
}

// Whether somebody wants to know of windows at the moment: log= or stop_on_overlap=.
inline bool watches_windows() { return process.log || process.options.stop_on_overlap != Stop::no; }

// One line of warning, and the end of the program where stop_on_overlap= asks for it; nothing when
// there are no hits. Called by the thread that puts the mask back, or by the one that has created,
// whichever comes later: a debugger, or a core, has both.
void log_window(const Author& author, const WindowHits& hits);
void log_blind_spot(const Author& author, const char* what, const char* text, std::uint32_t length);

// Complaints about our own options; the only lines that are written even with log=off.
void warn(const char* problem, const char* word, unsigned length);

// The trace= directory cannot be used; `error` is an errno.
void warn_not_recording(int error);

}  // namespace umaskaudit::shim
