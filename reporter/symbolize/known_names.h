// KnownNames: names and source lines of a run, as its own machine had them, saved beside a packed
// run. Must never be trusted: a pack may contain anything. Written by `pack`; used by the
// symbolizer and by SourceLines.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "reporter/symbolize/location.h"
#include "reporter/symbolize/source_line.h"

namespace umaskaudit::symbolize {

inline constexpr char kKnownNamesFile[] = "names.json";

struct KnownModule {
  std::unordered_map<std::uint64_t, Places> places;  // by return address
  std::string note;                                  // as ModulePlaces::note

  // Null: not known.
  const Places* at(std::uint64_t address) const {
    const auto found = places.find(address);
    return found != places.end() ? &found->second : nullptr;
  }
};

struct KnownNames {
  std::map<ModuleKey, KnownModule> modules;
  std::map<std::pair<std::string, std::uint32_t>, SourceLine> lines;  // by file and number

  const KnownModule* module(const ModuleKey& key) const {
    const auto found = modules.find(key);
    return found != modules.end() ? &found->second : nullptr;
  }
};

// The content of the file. Null: there is no such file in the directory, or it is damaged.
std::string known_names_text(const KnownNames& names);
std::shared_ptr<const KnownNames> read_known_names(const std::string& directory);

}  // namespace umaskaudit::symbolize
