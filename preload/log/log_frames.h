// The frames of a line of the log: those of scripts, then native ones, as lines or in JSON.
// Must never take memory; signals are blocked, for a handler that jumped out would leave a file in
// use (symbols.h). Called by live_log.cc.
#pragma once

#include "preload/log/log_fields.h"
#include "preload/stack/stacks.h"
#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// "    @0 app.py:12 main" and "    #0 main+0x1f (/usr/bin/app+0x11f)", a line each.
[[gnu::noinline]] void put_frames(TextBuffer& text, const CapturedStack& stack,
                                  const sys::WithoutSignals& blocked);
// " at app.py:12 main": the innermost frame of a script that is its user's; or nothing.
[[gnu::noinline]] void put_user_place(TextBuffer& text, const CapturedStack& stack,
                                      const sys::WithoutSignals& blocked);

// The same as members of the object that `fields` writes into `text`: "script", "stack"; "at".
[[gnu::noinline]] void add_frames(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                                  const sys::WithoutSignals& blocked);
[[gnu::noinline]] void add_user_place(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                                      const sys::WithoutSignals& blocked);

}  // namespace umaskaudit::shim
