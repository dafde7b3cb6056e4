// What a site allows: widest modes, required masks, forbidden calls, by path.
// Must never be applied in part: a file with one mistake in it is refused as a whole.
// Read by `check --policy`, applied by policy_check.cc.
//
//   [[path]]                      # the first row that matches a path and says something decides
//   glob = "/var/lib/app/*"       # fnmatch(3); '*' matches '/' too
//   kinds = ["file", "socket"]    # all when left out
//   widest = "0640"               # no permission beyond these; or 0o640
//   mask = "0027"                 # bits that the umask must take away
//   reason = "holds customer data"
//
//   [[call]]
//   name = "creat*"               # fnmatch(3)
//   glob = "/srv/*"               # everywhere when left out
//   reason = "use our_create()"
//
//   [secrets]
//   names = ["*.token"]           # last components of paths, besides those of secrets.cc
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/events/events.h"

namespace umaskaudit::rules {

struct PathRule {
  std::string glob;
  std::vector<trace::Kind> kinds;
  std::optional<Mode> widest;
  std::optional<Mode> mask;
  std::string reason;
  std::uint32_t line = 0;  // in the file

  bool applies(const std::string& path, trace::Kind kind) const;
};

struct CallRule {
  std::string name;
  std::string glob;  // empty: any path
  std::string reason;
  std::uint32_t line = 0;
};

struct Policy {
  std::vector<PathRule> paths;
  std::vector<CallRule> calls;
  std::vector<std::string> secret_names;
};

// `name` is for messages. Errors are usage errors and name the line and column.
Result<Policy> parse_policy(std::string_view text, const std::string& name);
Result<Policy> read_policy(const std::string& file);

}  // namespace umaskaudit::rules
