// Writes the frames of a log line: script frames, then native ones, as lines or in JSON.
// Must never take memory. Signals are blocked, because a handler that jumped out would leave a file
// marked as in use (symbols.h).
#pragma once

#include "preload/log/log_fields.h"
#include "preload/stack/stacks.h"
#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// "    @0 app.py:12 main" and "    #0 main+0x1f (/usr/bin/app+0x11f)", one line each.
[[gnu::noinline]] void put_frames(TextBuffer& text, const CapturedStack& stack,
                                  const sys::WithoutSignals& blocked);
// " at app.py:12 main": the innermost script frame that is not the runtime's; or nothing.
[[gnu::noinline]] void put_user_place(TextBuffer& text, const CapturedStack& stack,
                                      const sys::WithoutSignals& blocked);

// The same as members of the JSON object that `fields` writes: "script", "stack"; "at".
[[gnu::noinline]] void add_frames(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                                  const sys::WithoutSignals& blocked);
[[gnu::noinline]] void add_user_place(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                                      const sys::WithoutSignals& blocked);

}  // namespace umaskaudit::shim
