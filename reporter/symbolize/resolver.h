// Answers questions about many modules in this process: opens each once and keeps it.
// Must never be called by the reporter itself: a hostile file can crash or hang libdw. worker.cc
// calls it in a child process; so do the tests of the parts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "reporter/symbolize/file_search.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/module.h"

namespace umaskaudit {

class Resolver {
 public:
  explicit Resolver(const SymbolOptions& options) : files_(options) {}

  // `addresses` are addresses of the ELF file, of instructions (not return addresses).
  ModulePlaces resolve(const ModuleKey& key, std::span<const std::uint64_t> addresses);

 private:
  struct Entry {
    std::unique_ptr<Module> module;  // null: it could not be used
    std::string note;                // why names are missing; empty when none need be
  };
  Entry& entry_of(const ModuleKey& key);

  FileSearch files_;
  std::map<ModuleKey, Entry> modules_;
};

}  // namespace umaskaudit
