// What the readers of the user's TOML files share: the first mistake, with its place, and words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/toml_checked.h"

namespace umaskaudit::rules {

class TomlReader {
 public:
  // `name` of the file, and `what` it is, for messages: "NAME:1:2: bad WHAT".
  TomlReader(std::string name, const char* what) : name_(std::move(name)), what_(what) {}

  Error at(const toml::source_region& where, std::string why) const {
    return {name_ + ":" + std::to_string(where.begin.line) + ":" +
                std::to_string(where.begin.column) + ": bad " + what_,
            std::move(why), "", ExitCode::usage};
  }

 protected:
  // Only the first mistake is reported.
  void complain(const toml::source_region& where, std::string why) {
    if (!error_) error_ = at(where, std::move(why));
  }
  void unknown(const toml::key& key, const std::string& known) {
    complain(key.source(), "unknown key '" + std::string(key.str()) + "', known are " + known);
  }

  std::string text(const toml::node& node, const char* key) {
    const auto value = node.value_exact<std::string>();
    if (!value) complain(node.source(), std::string("'") + key + "' must be a string");
    return value.value_or("");
  }

  std::vector<std::string> texts(const toml::node& node, const char* key) {
    std::vector<std::string> out;
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      complain(node.source(), std::string("'") + key + "' must be an array of strings");
      return out;
    }
    for (const toml::node& element : *array) out.push_back(text(element, key));
    return out;
  }

  const std::string& name() const { return name_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  const std::string name_;
  const char* const what_;
  std::optional<Error> error_;
};

}  // namespace umaskaudit::rules
