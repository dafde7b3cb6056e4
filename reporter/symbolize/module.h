// Module: one module with its debug files, open for lookups by libdwfl.
// Must never let libdwfl search for files: it opens whatever has the name, and may use the network.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "reporter/base/result.h"
#include "reporter/symbolize/debug_info.h"
#include "reporter/symbolize/file_search.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/symbol_table.h"

namespace umaskaudit::symbolize {

class Module {
 public:
  // Error: one line of text, see FileSearch::find.
  static Result<std::unique_ptr<Module>> open(const ModuleKey& key, FileSearch& files);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The locations of the instruction at `address`, an address of the ELF file; innermost first.
  Places places_at(std::uint64_t address);
  // True if the module has no names at all: stripped, and no debug file was found.
  bool is_nameless();
  // FoundModule::note.
  const std::string& note() const { return note_; }

 private:
  struct DwflEnd {
    void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
  };
  struct DwarfEnd {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
  };

  Module() = default;
  static int give_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*,
                             const char*, GElf_Word, char**);
  bool load(FoundModule found, FileSearch& files);
  bool attach_shared_dwarf(Dwarf* dwarf, const ElfFile& user, FileSearch& files);
  const SymbolTable& symbols();

  // The order of destruction matters: the shared DWARF must outlive its users, the tables must not
  // outlive what they index.
  Descriptor shared_fd_;
  std::unique_ptr<Dwarf, DwarfEnd> shared_;
  int debug_fd_ = -1;  // passed to libdwfl at the first request
  std::unique_ptr<Dwfl, DwflEnd> dwfl_;
  Dwfl_Module* module_ = nullptr;  // of dwfl_
  Dwarf_Addr bias_ = 0;            // address - address in DWARF; not 0 for prelinked modules
  std::unique_ptr<DebugInfo> debug_;
  std::unique_ptr<SymbolTable> symbols_;
  std::string note_;
};

}  // namespace umaskaudit::symbolize
