// FileSearch: finds a module and its separate debug files: below a sysroot, by build id, by debug
// link.
// Must never accept a file whose build id differs from the recorded one, nor use the network unless
// told to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reporter/symbolize/debuginfod.h"
#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {

struct FoundModule {
  ElfFile main;
  std::optional<ElfFile> debug;  // only if `main` has no DWARF
  std::string note;              // why an existing debug file was not used, as text
};

class FileSearch {
 public:
  explicit FileSearch(const SymbolOptions& options);

  // The module as recorded. Error: one line (Error::what) that explains why there is none; empty if
  // that is expected (the vDSO).
  Result<FoundModule> find(const ModuleKey& key);

  // The file with DWARF that dwz(1) shared, which `user` names.
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
  std::uint64_t checksum_bytes_ = std::uint64_t{4} << 30;  // the most to read, of all files
};

}  // namespace umaskaudit::symbolize
