// The values that the parts of the symbolizer exchange: a module, and the source locations of its
// addresses.
// Must never hold a pointer into libdw: these values cross from the child process to the reporter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace umaskaudit::symbolize {

// A module as the trace names it.
struct ModuleKey {
  std::string path;      // raw bytes
  std::string build_id;  // lower-case hex; empty when it had none
  auto operator<=>(const ModuleKey&) const = default;
};

// One source-level place. An address inside inlined calls has several, innermost first.
struct Location {
  std::string symbol;  // demangled; empty when unknown
  std::string file;    // empty when unknown
  std::uint32_t line = 0;
  bool inlined = false;  // into the next one
  std::string language;
  bool operator==(const Location&) const = default;
};

using Places = std::vector<Location>;  // of one address; empty: unknown

struct ModulePlaces {
  std::vector<Places> places;  // one for each address asked for, in that order
  std::string note;            // why names are missing; empty: none are
};

}  // namespace umaskaudit::symbolize
