// An option whose value is one of a few words.
// Must never show CLI11's wording: the error names the option, the value and all choices.
// Called by the commands' configure functions.
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace umaskaudit {

// Adds `name` to `app`; stores the value behind the word that was given into `to`, which must live
// as long as the app.
template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& name, T& to,
                        std::initializer_list<std::pair<std::string, T>> choices,
                        const std::string& help, const std::string& type) {
  const std::vector<std::pair<std::string, T>> all(choices);
  const std::string option = name.substr(name.rfind(',') + 1);
  const auto pick = [&to, all, option](const std::string& word) {
    std::string words;
    for (const auto& [choice, value] : all) {
      if (choice == word) {
        to = value;
        return;
      }
      words += (words.empty() ? "" : ", ") + choice;
    }
    throw CLI::ValidationError(option + ": '" + word + "' is none of " + words);
  };
  return app.add_option_function<std::string>(name, pick, help)->type_name(type);
}

}  // namespace umaskaudit
