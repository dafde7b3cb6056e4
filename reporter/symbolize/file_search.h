// Where a module and its separate debug files lie: below a sysroot, by build id, by debug link.
// Must never accept a file whose build id differs from the recorded one, and never ask the network
// unless told to.
// Called by module.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reporter/symbolize/debuginfod.h"
#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

struct FoundModule {
  ElfFile main;
  std::optional<ElfFile> debug;  // only when `main` has no DWARF of its own
  std::string note;              // why a debug file that is there was not used, for people
};

class FileSearch {
 public:
  explicit FileSearch(const SymbolOptions& options);

  // The module as recorded. Error: one line for people (Error::what) that says why there is none;
  // empty where that is no news (the vDSO).
  Result<FoundModule> find(const ModuleKey& key);

  // The file that dwz(1) moved common DWARF to, named by `user`.
  std::optional<ElfFile> find_shared(const ElfFile& user, const std::string& name,
                                     const std::string& build_id);

 private:
  struct Directory {
    std::string root;
    std::string path;
  };
  std::optional<ElfFile> by_build_id(const std::string& build_id, const std::string& suffix,
                                     ElfKind kind = ElfKind::loadable);
  std::optional<ElfFile> by_debuglink(const ElfFile& main, std::string& note);
  std::optional<ElfFile> debug_file(const ElfFile& main, std::string& note);
  bool has_checksum(const ElfFile& file, const ElfFile& main, std::string& note);
  std::optional<ElfFile> recorded_elsewhere(const std::string& build_id);

  std::string sysroot_;
  std::vector<Directory> directories_;
  std::optional<Debuginfod> debuginfod_;
  std::uint64_t checksum_bytes_ = std::uint64_t{4} << 30;  // to be read at most, of all files
};

}  // namespace umaskaudit
