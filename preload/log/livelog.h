// The live log of a plain LD_PRELOAD: readable lines on stderr or in a file.
// Must never take memory from the program; where the lines go, and what is never done to get them
// there: log_sink.h. Called by the shapes when log= is on.
#pragma once

#include <cstdint>

#include "preload/mask/live_window.h"
#include "preload/object/creation.h"
#include "preload/object/parent.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"

namespace umaskaudit::shim {

void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack);
void log_creation(const Author& author, const Request& request, const trace::Create& record,
                  const char* path, const ParentView& parent);
// One line of warning; nothing when there are no hits.
void log_window(const Author& author, const WindowHits& hits);
void log_blind_spot(const Author& author, const char* what, const char* text, std::uint32_t length);

// Complaints about our own options; the only lines that are written even with log=off.
void warn(const char* problem, const char* word, unsigned length);

// The trace= directory cannot be used; `error` is an errno.
void warn_not_recording(int error);

}  // namespace umaskaudit::shim
