// CodeHint: code in a program file that may escape recording, found without running it.
// Must never claim more than it found: a hint is a reason to look at the blind spots of a
// recording.
#pragma once

#include <string>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit::inspect {

struct CodeHint {
  trace::Blind reason;  // the blind spot in a recording; `other`: drift of the mask
  std::string culprit;  // what was found: "imports dlmopen", ...
};

// For ELF files that can be recorded; nothing for others. Instructions are only searched on x86-64.
std::vector<CodeHint> code_hints(const std::string& path);

}  // namespace umaskaudit::inspect
