// `fleet`: questions about a lake, answered by SQLite.
// Must never fail for one run that cannot be read, nor leave that out in silence.
// Called through the table.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/progress.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/fleet/answers.h"
#include "reporter/fleet/lake.h"
#include "reporter/fleet/store.h"

namespace umaskaudit::commands {
namespace {

enum class Format { text, html, json };

struct Options {
  std::string lake;
  std::vector<std::string> questions;
  std::string since, until;
  std::string database;
  std::string output;
  std::uint64_t limit = 20;
  bool list = false;
  Format format = Format::text;
};

std::string wrong_date(const std::string& word) {
  const bool right = word.size() == 10 && word[4] == '-' && word[7] == '-' &&
                     std::all_of(word.begin(), word.end(),
                                 [](unsigned char c) { return c == '-' || std::isdigit(c) != 0; });
  return right ? "" : "invalid date '" + word + "' (expected: YYYY-MM-DD)";
}

Result<std::vector<const fleet::Question*>> wanted_questions(
    const std::vector<std::string>& names) {
  std::vector<const fleet::Question*> wanted;
  if (names.empty())
    for (const fleet::Question& question : fleet::fleet_questions()) wanted.push_back(&question);
  for (const std::string& name : names) {
    const auto all = fleet::fleet_questions();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const fleet::Question& one) { return name == one.name; });
    if (found == all.end())
      return Error{"fleet: no question is called '" + name + "'", "", "umaskaudit fleet --list",
                   ExitCode::usage};
    wanted.push_back(&*found);
  }
  return wanted;
}

int list_questions(Console& console) {
  std::size_t longest = 0;
  for (const fleet::Question& question : fleet::fleet_questions())
    longest = std::max(longest, std::string_view(question.name).size());
  for (const fleet::Question& question : fleet::fleet_questions()) {
    const std::string name = question.name;
    console.out << name << std::string(longest + 2 - name.size(), ' ') << question.title << '\n';
  }
  return 0;
}

// In the lake, where its next reader finds it; where that may not be written, for this time only.
Result<fleet::FleetStore> open_store(const Options& options, Console& console) {
  if (!options.database.empty()) return fleet::FleetStore::open(options.database);
  const std::string file = options.lake + '/' + fleet::kFleetDatabase;
  if (access(options.lake.c_str(), W_OK) == 0) return fleet::FleetStore::open(file);
  if (access(options.lake.c_str(), F_OK) == 0)
    warn(console, "'" + options.lake +
                      "' cannot be written to: all runs are read each time (--database FILE)");
  return fleet::FleetStore::open("");
}

int fleet(const Options& options, Console& console) {
  if (options.list) return list_questions(console);
  if (options.lake.empty())
    return fail(console, {"fleet: which lake?", "",
                          "umaskaudit fleet LAKE, made by umaskaudit export RUN --format tables "
                          "-o LAKE",
                          ExitCode::usage});
  if (options.format == Format::html && options.output.empty() && console.out_tty)
    return fail(console, no_page_for_terminals("fleet"));
  const auto questions = wanted_questions(options.questions);
  if (!questions) return fail(console, questions.error());
  const auto runs = fleet::runs_of_lake(options.lake);
  if (!runs) return fail(console, runs.error());
  // A lake whose runs were all removed has its database still.
  if (runs->empty() && options.database.empty() &&
      access((options.lake + '/' + fleet::kFleetDatabase).c_str(), F_OK) != 0)
    return fail(console,
                {"'" + options.lake + "' is no lake", "it holds no host=HOST/date=DATE/run=RUN",
                 "umaskaudit export RUN --format tables -o LAKE", ExitCode::usage});
  Result<fleet::FleetStore> store = open_store(options, console);
  if (!store) return fail(console, store.error());
  Progress progress(console);
  const auto synced = store->sync(
      options.lake, *runs, [&](std::uint64_t rows) { progress.count("taking in", rows, "rows"); });
  progress.count("taking in", 0, "rows");
  if (!synced) return fail(console, synced.error());
  if (const Status set = store->set_period(options.since, options.until); !set)
    return fail(console, set.error());
  const auto extent = store->extent();
  if (!extent) return fail(console, extent.error());
  fleet::FleetHeading heading{options.lake, *extent, {}};
  for (const Error& refused : synced->refused)
    heading.notes.push_back(refused.what + " (" + refused.why + "): it is left out");
  std::vector<fleet::Answer> answers;
  for (const fleet::Question* question : *questions) {
    auto answer = store->ask(*question, options.limit);
    if (!answer) return fail(console, answer.error());
    answers.push_back(std::move(*answer));
  }
  const int written = write_output(console, options.output, [&](const Output& output) {
    switch (options.format) {
      case Format::text:
        output.stream << fleet::fleet_text(heading, answers, output.terminal ? output.width : 0,
                                           output.paint);
        return;
      case Format::html:
        output.stream << fleet::fleet_html(heading, answers);
        return;
      case Format::json:
        output.stream << fleet::fleet_json(answers);
        return;
    }
  });
  if (written != 0) return written;
  if (synced->refused.empty()) return 0;
  if (options.format == Format::json || !options.output.empty())
    for (const std::string& note : heading.notes) warn(console, note);
  return static_cast<int>(ExitCode::unreadable);
}

}  // namespace

Action configure_fleet(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("LAKE", options->lake, "Directory that export --format tables wrote to");
  app.add_option("QUESTION", options->questions, "What to ask; default: everything");
  app.add_flag("--list", options->list, "Show the questions");
  app.add_option("--since", options->since, "Runs that began on that day or later")
      ->type_name("DATE")
      ->check(wrong_date);
  app.add_option("--until", options->until, "Runs that began on that day or before")
      ->type_name("DATE")
      ->check(wrong_date);
  app.add_option("-n,--limit", options->limit, "Rows an answer; 0: all (default 20)")
      ->type_name("N")
      ->check(whole_number);
  app.add_option("--database", options->database,
                 "Keep the rows in FILE; default: a hidden file in LAKE")
      ->type_name("FILE");
  add_enum_option<Format>(app, "-f,--format", options->format,
                          {{"text", Format::text}, {"html", Format::html}, {"json", Format::json}},
                          "Form of the answers");
  app.add_option("-o,--output", options->output, "Write to FILE")->type_name("FILE");
  return [options](Invocation& invocation) { return fleet(*options, invocation.console); };
}

}  // namespace umaskaudit::commands
