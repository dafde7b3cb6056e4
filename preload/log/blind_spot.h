// Reports a blind spot: a record in the trace, a line in the live log.
#pragma once

#include "preload/record/recorder.h"
#include "preload/sys/real.h"

namespace umaskaudit::shim {

// `text` names the cause: a program, a library, a call.
void report_blind_spot(const Author& author, trace::Blind reason, Call call, std::uint32_t context,
                       std::uint32_t stack, const char* text, std::uint32_t length);

}  // namespace umaskaudit::shim
