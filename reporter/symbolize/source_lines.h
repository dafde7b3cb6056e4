// SourceLines: reads the source lines that frames name.
// Must never block on a file, nor return a line of anything but a source file: the names come from
// the program.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "reporter/symbolize/source_line.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {

struct KnownNames;

class SourceLines {
 public:
  // `sysroot`: files are looked up below it. `directory`: the working directory at the start of the
  // run, for scripts with a relative name. `begin_real_ns`, `end_real_ns`: its start and its
  // end; 0: not known. `known`: used instead of all files.
  SourceLines(std::string sysroot, std::string directory, std::uint64_t begin_real_ns,
              std::uint64_t end_real_ns, std::shared_ptr<const KnownNames> known = nullptr)
      : sysroot_(std::move(sysroot)),
        directory_(std::move(directory)),
        begin_real_ns_(begin_real_ns),
        end_real_ns_(std::max(begin_real_ns, end_real_ns)),
        known_(std::move(known)) {}

  // The line that the frame names. A file is kept until another one is needed, and each line for
  // good.
  const SourceLine& line(const Frame& frame);
  // Adds the lines that were requested and can be shown, or have changed.
  void add_names(KnownNames& names) const;

 private:
  struct File {
    SourceLine::State state = SourceLine::State::unknown;
    std::string text;
    std::uint64_t written_real_ns = 0;
  };
  File read(const std::string& name) const;

  std::string sysroot_, directory_;
  std::uint64_t begin_real_ns_, end_real_ns_;
  std::shared_ptr<const KnownNames> known_;
  std::string open_name_;  // of `open_`
  File open_;
  std::map<std::pair<std::string, std::uint32_t>, SourceLine> lines_;
};

}  // namespace umaskaudit::symbolize
