// Lines of source files, for who wants to show the code that a frame names.
// Must never wait for a file, nor show one that is no source: the names come from the program.
// Owned by StackCache, asked by the renderers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

struct SourceLine {
  enum class State : std::uint8_t {
    unknown,  // there is no such file here, or it has no such line
    changed,  // the file is newer than the run: the line may say something else
    known,
  } state = State::unknown;
  std::string text;  // raw bytes, without the newline
};

class SourceLines {
 public:
  // `sysroot`: files are looked up below it. `directory`: where the run began, for scripts with a
  // relative name. `begin_real_ns`: when it began; 0: not known.
  SourceLines(std::string sysroot, std::string directory, std::uint64_t begin_real_ns)
      : sysroot_(std::move(sysroot)),
        directory_(std::move(directory)),
        begin_real_ns_(begin_real_ns) {}

  // The line that the frame names. Each file is read once, as long as no other is asked for, and
  // each line kept.
  const SourceLine& line(const Frame& frame);

 private:
  struct File {
    SourceLine::State state = SourceLine::State::unknown;
    std::string text;
  };
  File read(const std::string& name) const;

  std::string sysroot_, directory_;
  std::uint64_t begin_real_ns_;
  std::string open_name_;  // of `open_`
  File open_;
  std::map<std::pair<std::string, std::uint32_t>, SourceLine> lines_;
};

}  // namespace umaskaudit
