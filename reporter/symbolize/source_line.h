// One line of a source file, as far as it can be shown.
// Must never hold what is no line of a source: SourceLines sees to that.
// Made by SourceLines, kept by KnownNames.
#pragma once

#include <cstdint>
#include <string>

namespace umaskaudit {

struct SourceLine {
  enum class State : std::uint8_t {
    unknown,  // there is no such file here, or it has no such line
    changed,  // the file is newer than the run: the line may say something else
    known,
  } state = State::unknown;
  std::string text;  // raw bytes, without the newline
};

}  // namespace umaskaudit
