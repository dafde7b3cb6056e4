// The policy file's reader. See policy.h for the format.
// Must never guess: an unknown key, a decimal mode or a wrong type is an error with its place.
#include "reporter/rules/policy.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "reporter/base/text_file.h"
#include "reporter/rules/toml_reader.h"

namespace umaskaudit::rules {
namespace {

constexpr std::uint32_t kLargestMode = 07777;

class Reader : public TomlReader {
 public:
  explicit Reader(std::string name) : TomlReader(std::move(name), "policy") {}

  Result<Policy> read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (key == "path")
        rows(node, "path", [this](const toml::table& row) { path_row(row); });
      else if (key == "call")
        rows(node, "call", [this](const toml::table& row) { call_row(row); });
      else if (key == "secrets")
        secrets(node);
      else
        unknown(key, "path, call or secrets");
    }
    if (error()) return *error();
    return std::move(policy_);
  }

 private:
  template <typename Row>
  void rows(const toml::node& node, const std::string& name, const Row& row) {
    const toml::array* array = node.as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table))
      return complain(node.source(), "'" + name + "' is written [[" + name + "]]");
    for (const toml::node& element : *array) row(*element.as_table());
  }

  std::optional<Mode> mode(const toml::node& node, const char* key, std::uint32_t largest) {
    std::uint32_t value = 0;
    if (const auto* number = node.as_integer()) {
      const bool octal =
          (number->flags() & toml::value_flags::format_as_octal) != toml::value_flags::none;
      const bool fits = number->get() >= 0 && number->get() <= largest;
      if (octal && fits) return static_cast<Mode>(number->get());
    } else if (const auto word = node.value_exact<std::string>()) {
      const char* end = word->data() + word->size();
      const auto [stop, error] = std::from_chars(word->data(), end, value, 8);
      if (error == std::errc() && stop == end && value <= largest) return value;
    }
    complain(node.source(), std::string("'") + key + "' must be octal, as \"0640\" or 0o640");
    return std::nullopt;
  }

  std::vector<trace::Kind> kinds(const toml::node& node) {
    std::vector<trace::Kind> out;
    for (const std::string& word : texts(node, "kinds")) {
      const auto last = static_cast<unsigned>(trace::Kind::tmpfile);
      unsigned kind = 1;
      while (kind <= last && word != kind_name(static_cast<trace::Kind>(kind))) ++kind;
      if (kind > last)
        complain(node.source(), "unknown kind '" + word +
                                    "', known are file, dir, fifo, socket, "
                                    "mqueue, shm, sem, chardev, blockdev, tmpfile");
      else
        out.push_back(static_cast<trace::Kind>(kind));
    }
    return out;
  }

  void path_row(const toml::table& row) {
    PathRule rule;
    rule.line = row.source().begin.line;
    for (const auto& [key, node] : row) {
      if (key == "glob")
        rule.glob = text(node, "glob");
      else if (key == "kinds")
        rule.kinds = kinds(node);
      else if (key == "widest")
        rule.widest = mode(node, "widest", kLargestMode);
      else if (key == "mask")
        rule.mask = mode(node, "mask", 0777);
      else if (key == "reason")
        rule.reason = text(node, "reason");
      else
        unknown(key, "glob, kinds, widest, mask, reason");
    }
    if (rule.glob.empty()) complain(row.source(), "[[path]] needs a glob");
    if (!rule.widest && !rule.mask) complain(row.source(), "[[path]] needs widest or mask");
    policy_.paths.push_back(std::move(rule));
  }

  void call_row(const toml::table& row) {
    CallRule rule;
    rule.line = row.source().begin.line;
    for (const auto& [key, node] : row) {
      if (key == "name")
        rule.name = text(node, "name");
      else if (key == "glob")
        rule.glob = text(node, "glob");
      else if (key == "reason")
        rule.reason = text(node, "reason");
      else
        unknown(key, "name, glob, reason");
    }
    if (rule.name.empty()) complain(row.source(), "[[call]] needs a name");
    policy_.calls.push_back(std::move(rule));
  }

  void secrets(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return complain(node.source(), "'secrets' is written [secrets]");
    for (const auto& [key, value] : *table) {
      if (key == "names")
        policy_.secret_names = texts(value, "names");
      else
        unknown(key, "names");
    }
  }

  Policy policy_;
};

}  // namespace

bool PathRule::applies(const std::string& path, trace::Kind kind) const {
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) return false;
  return fnmatch(glob.c_str(), path.c_str(), 0) == 0;
}

Result<Policy> parse_policy(std::string_view text, const std::string& name) {
  Reader reader(name);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return reader.at(parsed.error().source(), std::string(parsed.error().description()));
  return reader.read(parsed.table());
}

Result<Policy> read_policy(const std::string& file) {
  Result<std::string> text = read_text_file(file, "policy");
  if (!text) return text.error();
  return parse_policy(*text, file);
}

}  // namespace umaskaudit::rules
