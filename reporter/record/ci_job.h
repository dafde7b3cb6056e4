// CiJob: the continuous integration job that this process is part of, from its environment.
// Must never read a variable that may hold a secret: the ones below are all that is read.
#pragma once

#include <string>

namespace umaskaudit::record {

// Raw bytes; empty where they are not known.
struct CiJob {
  std::string system;    // "github", "gitlab", ...; empty: none known
  std::string job;       // its name or number
  std::string url;       // its web page
  std::string revision;  // the commit that it builds
  bool operator==(const CiJob&) const = default;
};

// Reads environ(7).
CiJob ci_job();

}  // namespace umaskaudit::record
