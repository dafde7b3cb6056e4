// What in a program's code goes past the library, as far as the file tells without running it.
// Must never claim more than it found: a hint is a reason to look at the record's blind spots.
// Called by `doctor`.
#pragma once

#include <string>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit {

struct CodeHint {
  trace::Blind reason;  // the blind spot that a recording would have; `other`: drift of the mask
  std::string culprit;  // what was found: "imports dlmopen", ...
};

// For ELF files that can be audited; nothing for all others. What can be said of instructions
// depends on the machine: x86-64 here.
std::vector<CodeHint> code_hints(const std::string& path);

}  // namespace umaskaudit
