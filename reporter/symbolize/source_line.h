// SourceLine: one line of a source file, if it can be shown.
// Must never contain anything but a source line: SourceLines checks that.
#pragma once

#include <cstdint>
#include <string>

namespace umaskaudit::symbolize {

struct SourceLine {
  enum class State : std::uint8_t {
    unknown,  // there is no such file here, or it has no such line
    changed,  // the file is newer than the run: the line may say something else
    known,
  } state = State::unknown;
  std::string text;  // raw bytes, without the newline
  // When the file was written last, if that was during the run; else 0. Of calls that came before
  // that, the line may have said something else.
  std::uint64_t written_real_ns = 0;
};

}  // namespace umaskaudit::symbolize
