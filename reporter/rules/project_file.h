// ProjectFile: the options of `check` that a project keeps in `.umaskaudit.toml`.
// Must never be applied in part, nor taken from a file that another user could have put there: a
// policy that another user chose is worthless.
// Read by `check` and `run --check`; the command line wins.
//
//   [check]
//   policy = "policy.toml"             # paths are relative to this file
//   suppressions = "accepted.txt"
//   baseline = "known.json"
//   fail-on = "error"                  # note, warning or error
//   paths = ["/srv/*"]                 # as --path
//   max-loss = 0
//   max-unrecorded = 0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

inline constexpr char kProjectFileName[] = ".umaskaudit.toml";

struct ProjectFile {
  std::optional<std::string> policy, suppressions, baseline;  // paths, from the file's directory
  std::optional<Severity> fail_on;
  std::optional<std::uint64_t> max_loss, max_unrecorded;
  std::vector<std::string> paths;
};

// The file for `directory`: there, or in the nearest directory above it, as far as the first that
// holds `.git`, else only there. Nothing when there is none.
std::optional<std::string> find_project_file(const std::string& directory);

// Whether it and the directory it is in belong to the caller or root, and not everybody may write
// to them. A group may: many systems give each user one of their own.
bool is_trusted_file(const std::string& file);

// `name` is for messages, and what relative paths begin at. Errors are usage errors and name the
// line and column.
Result<ProjectFile> parse_project_file(std::string_view text, const std::string& name);
Result<ProjectFile> read_project_file(const std::string& file);

}  // namespace umaskaudit::rules
