// The one file that knows CLI11's ways: parsing, its exceptions, --help, --version.
// Must never let an exception out, nor CLI11's own wording: errors leave as `fail` prints them.
// Called by main and by tests.
#include "reporter/commands/cli.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ostream>
#include <utility>

#include "reporter/base/pager.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/rules.h"
#include "reporter/inspect/program.h"
#include "reporter/text/similar.h"

namespace umaskaudit::commands {
namespace {

constexpr char kName[] = "umaskaudit";

// Options of every command.
struct Shared {
  bool quiet = false;
  bool verbose = false;
  bool no_pager = false;
  ColourWhen colour = ColourWhen::automatic;
};

// CLI11 prints the usage line from the options that it knows; a tail is none of them.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(Tail tail) : tail_(tail) { column_width(34); }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    usage.erase(usage.find_last_not_of('\n') + 1);
    switch (tail_) {
      case Tail::none:
        break;
      case Tail::after_dashes:
        usage += " [-- CMD [ARG...]]";
        break;
      case Tail::command:
        usage += " [--] CMD [ARG...]";
        break;
      case Tail::maybe:
        usage += " [[--] CMD [ARG...]]";
        break;
    }
    return usage + "\n";
  }
  // "--live[=WORD]" for a flag that may have a value, where CLI11 has its value without one.
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string text = CLI::Formatter::make_option_name(option, positional);
    const std::size_t at = text.find('{');
    const std::size_t end = at == std::string::npos ? at : text.find('}', at);
    if (end != std::string::npos) text.replace(at, end + 1 - at, "[=WORD]");
    return text;
  }
  // " PID PID" for an option that takes two, where CLI11 has " PID x 2".
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    const std::string times = " x " + std::to_string(option->get_expected_min());
    const std::size_t at = text.find(times);
    if (at != std::string::npos) text.replace(at, times.size(), ' ' + option->get_type_name());
    return text;
  }

 private:
  Tail tail_;
};

struct Parser {
  CLI::App root{"Who changed the umask, and why a file has its mode", kName};
  Shared shared;
  std::vector<Action> actions;  // by index into commands()
};

void add_shared(CLI::App& app, Shared& shared, bool paged) {
  app.add_flag("-q,--quiet", shared.quiet, "Print only errors and results");
  app.add_flag("-v,--verbose", shared.verbose, "Print on standard error what is being done");
  add_enum_option<ColourWhen>(app, "--color", shared.colour,
                              {{"auto", ColourWhen::automatic},
                               {"always", ColourWhen::always},
                               {"never", ColourWhen::never}},
                              "When to colour");
  if (paged) app.add_flag("--no-pager", shared.no_pager, "Show long output without a pager");
}

void build(Parser& parser) {
  CLI::App& root = parser.root;
  root.set_version_flag("-V,--version", kName + std::string(" " UMASKAUDIT_VERSION));
  root.require_subcommand(1);
  root.footer(
      "umaskaudit CMD is short for umaskaudit run -- CMD. umaskaudit help COMMAND says more\n"
      "about each; umaskaudit(1) is the manual.");
  root.formatter(std::make_shared<HelpFormatter>(Tail::none));
  for (const Command& command : commands()) {
    CLI::App* sub = root.add_subcommand(command.name, command.summary);
    sub->footer(std::string("Example:\n  ") + command.example);
    sub->formatter(std::make_shared<HelpFormatter>(command.tail));
    add_shared(*sub, parser.shared, command.paged);
    parser.actions.push_back(command.configure(*sub));
  }
}

Error usage(std::string what, std::string why, std::string hint) {
  return {std::move(what), std::move(why), std::move(hint), ExitCode::usage};
}

std::string help_of(const std::string& command) { return kName + (" " + command) + " --help"; }

bool takes_value(const CLI::App& app, const std::string& word) {
  const bool is_long = word.size() > 2 && word[1] == '-';
  if (is_long && word.find('=') != std::string::npos) return false;
  // -oDIR carries its value; only the first letter of a cluster is looked at, as CLI11 does.
  const CLI::Option* option = app.get_option_no_throw(is_long ? word : word.substr(0, 2));
  return option != nullptr && option->get_items_expected_max() > 0 && (is_long || word.size() == 2);
}

// Cuts the words that belong to CMD off `words` (which begins behind the command's name).
std::vector<std::string> cut_tail(const CLI::App& app, Tail tail, std::vector<std::string>& words) {
  if (tail == Tail::none) return {};
  std::size_t at = 0;
  bool dashes = false;
  for (; at < words.size() && !dashes; ++at) {
    if (words[at] == "--")
      dashes = true;
    else if (words[at].size() > 1 && words[at][0] == '-')
      at += takes_value(app, words[at]) ? 1 : 0;
    else if (begins_command(tail))
      break;
  }
  if (at > words.size()) at = words.size();
  const auto from = words.begin() + static_cast<std::ptrdiff_t>(at);
  std::vector<std::string> cut(from, words.end());
  words.erase(dashes ? from - 1 : from, words.end());
  return cut;
}

// "'--policy'": what was meant by `word`, or what to read.
std::string hint_for(const std::string& word, const std::vector<std::string>& known,
                     const std::string& otherwise) {
  const std::string meant = most_similar(word, known);
  return meant.empty() ? otherwise : "'" + meant + "', or " + otherwise;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// Whether RUN is all that the command takes besides options.
bool takes_one_run(const CLI::App& app) {
  const auto words =
      app.get_options([](const CLI::Option* option) { return option->get_positional(); });
  return words.size() == 1 && words[0]->get_name() == "RUN";
}

// Names the commands for several runs, for the error of a command that takes one.
std::string many_runs() {
  std::string text = "umaskaudit diff RUN RUN to compare two";
  for (const Command& command : commands())
    if (std::string_view(command.name) == "fleet") text += ", or umaskaudit fleet for many";
  return text;
}

Error explain(const CLI::ParseError& error, const std::string& command, const CLI::App& app) {
  // An unknown option is reported first: it may be why something else is missing.
  for (const std::string& word : app.remaining())
    if (word.size() > 1 && word[0] == '-' && word != "--")
      return usage("unknown option '" + word + "'", "",
                   hint_for(word.substr(0, word.find('=')), options_of(app), help_of(command)));
  const auto words = app.remaining();
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !words.empty();
  if (extra && takes_one_run(app))
    return usage(command + " takes one run, and '" + words.front() + "' is one more", "",
                 many_runs());
  if (extra) return usage("unexpected argument '" + words.front() + "'", "", help_of(command));
  return usage(command + ": " + error.what(), "", help_of(command));
}

void set_up_log(Console& console) {
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(console.err, true);
  auto log = std::make_shared<spdlog::logger>(kName, std::move(sink));
  log->set_pattern("umaskaudit: %l: %v");
  log->set_level(console.verbosity == Verbosity::verbose ? spdlog::level::debug
                 : console.verbosity == Verbosity::quiet ? spdlog::level::err
                                                         : spdlog::level::warn);
  spdlog::set_default_logger(std::move(log));
}

// A file that can be executed, by its path or found in PATH.
bool is_program(const std::string& word) {
  const inspect::Obstacle obstacle = inspect::inspect_program(word).obstacle;
  return obstacle != inspect::Obstacle::not_found && obstacle != inspect::Obstacle::not_executable;
}

// What goes to a terminal and may be longer than it.
bool wants_pager(const CLI::App& app, const Shared& shared, const Console& console) {
  return console.out_tty && !shared.no_pager && !is_given(app, "--output") &&
         !is_given(app, "--follow");
}

int act(Parser& parser, std::size_t chosen, std::vector<std::string> words, Console& console) {
  const Command& command = commands()[chosen];
  CLI::App& app = *parser.root.get_subcommand(command.name);
  Invocation invocation{console, cut_tail(app, command.tail, words)};
  words.insert(words.begin(), command.name);
  std::reverse(words.begin(), words.end());  // CLI11 takes its vector from the back
  try {
    parser.root.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    console.out << app.help(kName);
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(console, explain(error, command.name, app));
  }
  set_colour(console, parser.shared.colour);
  if (parser.shared.quiet) console.verbosity = Verbosity::quiet;
  if (parser.shared.verbose) console.verbosity = Verbosity::verbose;
  set_up_log(console);
  std::string pager;
  if (command.paged && wants_pager(app, parser.shared, console))
    pager =
        decide_pager(std::getenv("UMASKAUDIT_PAGER"), std::getenv("PAGER"), std::getenv("TERM"));
  if (pager == kUsualPager && !is_program(pager)) pager.clear();
  if (pager.empty()) return parser.actions[chosen](invocation);
  Pager shown(console.out, pager, console.height);
  return parser.actions[chosen](invocation);
}

// `umaskaudit help [COMMAND|RULE]`.
int help(Parser& parser, const std::vector<std::string>& words, Console& console) {
  if (words.empty()) {
    console.out << parser.root.help();
    return 0;
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    names.emplace_back(command.name);
    if (words[0] != command.name) continue;
    console.out << parser.root.get_subcommand(command.name)->help(kName);
    return 0;
  }
  if (const rules::RuleInfo* rule = rules::find_rule(words[0]); rule != nullptr)
    return explain_rule(*rule, TwinFormat::text, console);
  return fail(console, usage("unknown command '" + words[0] + "'", "",
                             hint_for(words[0], names, std::string(kName) + " --help")));
}

// Whether `umaskaudit WORDS...` is `umaskaudit run WORDS...`: an option of run's, or a program.
bool means_run(const Parser& parser, const std::string& word) {
  if (word == "--") return true;
  if (word.size() > 1 && word[0] == '-') {
    const CLI::App& run = *parser.root.get_subcommand("run");
    const bool is_long = word[1] == '-';
    const std::string name = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
    return run.get_option_no_throw(name) != nullptr;
  }
  return is_program(word);
}

int dispatch(const std::vector<std::string>& args, Console& console) {
  Parser parser;
  build(parser);
  if (args.empty()) {  // of nothing, a script must not take for done what it did not ask for
    console.out << parser.root.help();
    return static_cast<int>(ExitCode::usage);
  }
  if (args[0] == "--help" || args[0] == "-h") {
    console.out << parser.root.help();
    return 0;
  }
  if (args[0] == "--version" || args[0] == "-V") {
    console.out << parser.root.version() << '\n';
    return 0;
  }
  if (args[0] == "help") return help(parser, {args.begin() + 1, args.end()}, console);
  const auto all = commands();
  std::vector<std::string> names = {"help"};
  std::size_t run = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (args[0] == all[i].name) return act(parser, i, {args.begin() + 1, args.end()}, console);
    if (std::string_view(all[i].name) == "run") run = i;
    names.emplace_back(all[i].name);
  }
  if (means_run(parser, args[0])) return act(parser, run, args, console);
  const bool option = args[0].size() > 1 && args[0][0] == '-';
  const std::string otherwise = std::string(kName) + " --help";
  if (option) return fail(console, usage("unknown option '" + args[0] + "'", "", otherwise));
  const bool is_file = args[0].find('/') != std::string::npos;
  return fail(
      console,
      usage("unknown command '" + args[0] + "'", is_file ? "and no program that can be run" : "",
            is_file ? "umaskaudit doctor " + args[0] : hint_for(args[0], names, otherwise)));
}

}  // namespace

int run_cli(const std::vector<std::string>& args, Console& console) {
  try {
    const int code = dispatch(args, console);
    console.out.flush();
    if (console.out) return code;
    const int error = console.out_error();
    return fail(console, {"cannot write standard output", error != 0 ? std::strerror(error) : "",
                          error == ENOSPC || error == EDQUOT ? "freeing some space there" : "",
                          ExitCode::internal});
  } catch (const std::exception& error) {
    return fail(console, {"internal error", error.what(), "", ExitCode::internal});
  }
}

}  // namespace umaskaudit::commands
