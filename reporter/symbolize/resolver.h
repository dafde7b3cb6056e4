// Resolver: looks up addresses of many modules in this process, and keeps modules open.
// Must never be used by the reporter itself: a hostile file can crash or hang libdw. worker.cc uses
// it in a child process; tests of the parts use it directly.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "reporter/symbolize/file_search.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/module.h"

namespace umaskaudit::symbolize {

class Resolver {
 public:
  explicit Resolver(const SymbolOptions& options) : files_(options) {}

  // `addresses` are addresses of the ELF file, of instructions (not return addresses).
  ModulePlaces resolve(const ModuleKey& key, std::span<const std::uint64_t> addresses);

 private:
  struct Entry {
    std::unique_ptr<Module> module;  // null: not usable
    std::string note;                // why names are missing; empty: none are
  };
  Entry& entry_of(const ModuleKey& key);

  FileSearch files_;
  std::map<ModuleKey, Entry> modules_;
};

}  // namespace umaskaudit::symbolize
