// Lines of source files, for who wants to show the code that a frame names.
// Must never wait for a file, nor show one that is no source: the names come from the program.
// Owned by StackCache, asked by the renderers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "reporter/symbolize/source_line.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

struct KnownNames;

class SourceLines {
 public:
  // `sysroot`: files are looked up below it. `directory`: where the run began, for scripts with a
  // relative name. `begin_real_ns`: when it began; 0: not known. `known`: in place of all files.
  SourceLines(std::string sysroot, std::string directory, std::uint64_t begin_real_ns,
              std::shared_ptr<const KnownNames> known = nullptr)
      : sysroot_(std::move(sysroot)),
        directory_(std::move(directory)),
        begin_real_ns_(begin_real_ns),
        known_(std::move(known)) {}

  // The line that the frame names. Each file is read once, as long as no other is asked for, and
  // each line kept.
  const SourceLine& line(const Frame& frame);
  // Adds the lines that were asked for and can be shown, or are told to have changed.
  void tell(KnownNames& names) const;

 private:
  struct File {
    SourceLine::State state = SourceLine::State::unknown;
    std::string text;
  };
  File read(const std::string& name) const;

  std::string sysroot_, directory_;
  std::uint64_t begin_real_ns_;
  std::shared_ptr<const KnownNames> known_;
  std::string open_name_;  // of `open_`
  File open_;
  std::map<std::pair<std::string, std::uint32_t>, SourceLine> lines_;
};

}  // namespace umaskaudit
