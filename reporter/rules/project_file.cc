#include "reporter/rules/project_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "reporter/base/text_file.h"
#include "reporter/rules/toml_reader.h"

namespace umaskaudit::rules {
namespace {

bool is_there(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0;
}

std::string above(const std::string& directory) {
  const std::size_t slash = directory.rfind('/');
  return slash == std::string::npos ? "" : directory.substr(0, std::max<std::size_t>(slash, 1));
}

class Reader : public TomlReader {
 public:
  explicit Reader(std::string name) : TomlReader(std::move(name), "project file") {}

  Result<ProjectFile> read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (key == "check")
        check(node);
      else
        unknown(key, "check");
    }
    if (error()) return *error();
    return std::move(file_);
  }

 private:
  // Where this file says so, not where the tool was started.
  std::string path(const toml::node& node, const char* key) {
    const std::string word = text(node, key);
    const std::size_t slash = name().rfind('/');
    if (word.empty() || word[0] == '/' || slash == std::string::npos) return word;
    return name().substr(0, slash + 1) + word;
  }

  std::uint64_t number(const toml::node& node, const char* key) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0)
      complain(node.source(), std::string("'") + key + "' must be a whole number");
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.value_or(0), 0));
  }

  Severity severity(const toml::node& node) {
    const std::string word = text(node, "fail-on");
    for (const Severity one : {Severity::note, Severity::warning, Severity::error})
      if (word == severity_name(one)) return one;
    complain(node.source(), "'fail-on' must be note, warning or error");
    return Severity::warning;
  }

  void check(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return complain(node.source(), "'check' is written [check]");
    for (const auto& [key, value] : *table) {
      if (key == "policy")
        file_.policy = path(value, "policy");
      else if (key == "suppressions")
        file_.suppressions = path(value, "suppressions");
      else if (key == "baseline")
        file_.baseline = path(value, "baseline");
      else if (key == "fail-on")
        file_.fail_on = severity(value);
      else if (key == "max-loss")
        file_.max_loss = number(value, "max-loss");
      else if (key == "max-unrecorded")
        file_.max_unrecorded = number(value, "max-unrecorded");
      else if (key == "paths")
        file_.paths = texts(value, "paths");
      else
        unknown(key, "policy, suppressions, baseline, fail-on, paths, max-loss, max-unrecorded");
    }
  }

  ProjectFile file_;
};

}  // namespace

std::optional<std::string> find_project_file(const std::string& directory) {
  std::optional<std::string> found;
  for (std::string place = directory; !place.empty(); place = above(place)) {
    const std::string base = place == "/" ? "" : place;
    const std::string file = base + "/" + kProjectFileName;
    if (!found && is_there(file)) found = file;
    if (is_there(base + "/.git")) return found;
    if (place == "/") break;
  }
  // Outside of a repository, a file in a directory above belongs to something else.
  const std::string here = (directory == "/" ? "" : directory) + "/" + kProjectFileName;
  return is_there(here) ? std::optional(here) : std::nullopt;
}

bool is_trusted_file(const std::string& file) {
  const auto trusted = [](const std::string& path, mode_t allowed) {
    struct stat facts {};
    return stat(path.c_str(), &facts) == 0 && (facts.st_uid == geteuid() || facts.st_uid == 0) &&
           (facts.st_mode & S_IWOTH & ~allowed) == 0;
  };
  struct stat directory {};
  const std::string place = above(file);
  if (stat(place.c_str(), &directory) != 0) return false;
  // In a sticky directory no user can replace another one's file (unlink(2)).
  const mode_t allowed = (directory.st_mode & S_ISVTX) != 0 ? S_IWOTH : 0;
  return trusted(file, 0) && trusted(place, allowed);
}

Result<ProjectFile> parse_project_file(std::string_view text, const std::string& name) {
  Reader reader(name);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return reader.at(parsed.error().source(), std::string(parsed.error().description()));
  return reader.read(parsed.table());
}

Result<ProjectFile> read_project_file(const std::string& file) {
  const Result<std::string> text = read_text_file(file, "project file");
  if (!text) return text.error();
  return parse_project_file(*text, file);
}

}  // namespace umaskaudit::rules
