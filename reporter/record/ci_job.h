// Which job of a continuous integration this process is part of, as its environment names it.
// Must never read a variable that may hold a secret: those below are all.
// Called by `run`, and by `export` for a run that was recorded without.
#pragma once

#include <string>

namespace umaskaudit {

// Raw bytes; empty where they are not known.
struct CiJob {
  std::string system;    // "github", "gitlab", ...; empty: none that is known
  std::string job;       // its name or number there
  std::string url;       // a page for people
  std::string revision;  // the commit that is built
  bool operator==(const CiJob&) const = default;
};

// Reads environ(7).
CiJob ci_job();

}  // namespace umaskaudit
