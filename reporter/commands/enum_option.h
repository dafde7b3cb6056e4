// Options whose value is one of a few words, or a number.
// Must never show CLI11's wording: the error names the option, the value and what it should be.
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace umaskaudit::commands {

// Adds `name` to `app`; stores the value behind the word that was given into `to`, which must live
// as long as the app. Help and completions take the words from the option's type name.
template <typename T>
CLI::Option* add_enum_option(CLI::App& app, const std::string& name, T& to,
                             std::initializer_list<std::pair<std::string, T>> choices,
                             const std::string& help) {
  const std::vector<std::pair<std::string, T>> all(choices);
  const std::string option = name.substr(name.rfind(',') + 1);
  const auto words = [all](const char* separator) {
    std::string text;
    for (const auto& choice : all) text += (text.empty() ? "" : separator) + choice.first;
    return text;
  };
  const auto pick = [&to, all, option, words](const std::string& word) {
    for (const auto& [choice, value] : all) {
      if (choice != word) continue;
      to = value;
      return;
    }
    throw CLI::ValidationError(option + ": invalid value '" + word + "' (expected: " + words(", ") +
                               ")");
  };
  return app.add_option_function<std::string>(name, pick, help)->type_name(words("|"));
}

// For CLI::Option::check(): strtoull(3) would take -1 for a very large number.
inline std::string whole_number(const std::string& word) {
  const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
  return digits && word.size() < 19 ? "" : "'" + word + "' is no whole number";
}

// Whether the command line had the option; false where the command has no such option.
inline bool is_given(const CLI::App& app, const char* name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->count() != 0;
}

template <typename T>
CLI::Option* add_number(CLI::App& app, const std::string& name, T& to, const std::string& help) {
  return app.add_option(name, to, help)->type_name("N")->check(whole_number);
}

}  // namespace umaskaudit::commands
