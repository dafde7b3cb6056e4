// SourceLine: one line of a source file, if it can be shown.
// Must never contain anything but a source line: SourceLines checks that.
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
