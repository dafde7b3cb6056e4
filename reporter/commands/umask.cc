// `umask`: the shell builtin's conventions for this process, for others, and for masks as such.
// Must never change a mask to read it; only `umask MASK -- CMD` sets one, right before CMD.
// Called through the table.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/notation_error.h"
#include "reporter/commands/twin_format.h"
#include "reporter/inspect/own_mask.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/inspect/process_masks.h"
#include "reporter/mode/access.h"
#include "reporter/record/child.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::commands {
namespace {

constexpr char kHelp[] = "umaskaudit umask --help";

struct Options {
  std::string mask;
  bool symbolic = false;
  bool reusable = false;
  bool all = false;
  TwinFormat format = TwinFormat::text;
  std::string pid;
  std::vector<std::string> diff;
};

int done(ExitCode code) { return static_cast<int>(code); }

int usage(Console& console, const char* what) {
  return fail(console, {what, "", kHelp, ExitCode::usage});
}

// As bash prints it: "0022", "u=rwx,g=rx,o=rx", "umask 0022", "umask -S u=rwx,g=rx,o=rx".
std::string formatted(Mode mask, const Options& options) {
  const std::string value = options.symbolic ? symbolic_mask(mask) : octal(mask);
  if (!options.reusable) return value + '\n';
  return std::string(options.symbolic ? "umask -S " : "umask ") + value + '\n';
}

// What new objects become under it, for those that ask for the usual 0666 and 0777.
std::string meaning(Mode mask, Paint paint) {
  std::string text = paint(Style::strong, octal(mask) + "  " + symbolic_mask(mask)) + "\n\n";
  TextTable table({{"NEW"}, {"MODE"}, {"RWX"}});
  const Mode file = 0666 & ~mask;
  const Mode directory = 0777 & ~mask;
  table.add({"file", octal(file), rwx(file)});
  table.add({"directory", octal(directory), rwx(directory)});
  text += table.text(0, paint);
  text += "\nA file: " + who_may(file, false, false);
  text += "\nA directory: " + who_may(directory, true, false);
  return text + '\n';
}

int show_mask(Mode mask, const Options& options, Console& console) {
  if (options.symbolic || options.reusable) {
    console.out << formatted(mask, options);
    return done(ExitCode::clean);
  }
  console.out << meaning(mask, Paint(console.out_colour));
  warn_of_mode(console, mask);
  return done(ExitCode::clean);
}

// Replaces this process, as env(1) does.
int run_under(Mode mask, const std::vector<std::string>& command, Console& console) {
  const std::vector<char*> arguments = record::exec_pointers(command);
  console.out << std::flush;
  ::umask(mask);
  ::execvp(arguments[0], arguments.data());
  return fail_exec(console, command[0], errno);
}

int with_mask(const Options& options, const std::vector<std::string>& command, Console& console) {
  const Result<Mode> current = inspect::own_mask();
  if (!current) return fail(console, current.error());
  const Parsed<Mode> parsed = parse_mask(options.mask, *current);
  if (const auto* error = std::get_if<NotationError>(&parsed)) {
    return fail_notation(console, "mask", options.mask, *error, kHelp);
  }
  const Mode mask = std::get<Mode>(parsed);
  return command.empty() ? show_mask(mask, options, console) : run_under(mask, command, console);
}

int one_process(const Options& options, Console& console) {
  const Result<inspect::ProcessMask> process = inspect::read_process(options.pid);
  if (!process) return fail(console, process.error());
  console.out << formatted(process->mask, options);
  return done(ExitCode::clean);
}

int compare(const Options& options, Console& console) {
  const Result<inspect::ProcessMask> first = inspect::read_process(options.diff[0]);
  if (!first) return fail(console, first.error());
  const Result<inspect::ProcessMask> second = inspect::read_process(options.diff[1]);
  if (!second) return fail(console, second.error());
  console.out << inspect::difference_text(*first, *second, Paint(console.out_colour));
  return done(first->mask == second->mask ? ExitCode::clean : ExitCode::findings);
}

std::string masks_json(const std::vector<inspect::ProcessMask>& processes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", render::kJsonSchema);
  json.begin_array("processes");
  for (const inspect::ProcessMask& process : processes) {
    json.begin_object();
    json.number("pid", process.pid);
    json.mode("mask", process.mask);
    json.text("allows", symbolic_mask(process.mask));
    json.bytes("comm", process.name);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out += '\n';
}

int act(const Options& options, const std::vector<std::string>& command, Console& console) {
  const int about_processes =
      int{options.all} + int{!options.pid.empty()} + int{!options.diff.empty()};
  if (options.format == TwinFormat::json && !options.all)
    return usage(console, "umask: --format json is for --all");
  if (about_processes > 1) return usage(console, "umask: choose one of --pid, --all and --diff");
  if (about_processes == 1 && !(options.mask.empty() && command.empty())) {
    return usage(console, "umask: --pid, --all and --diff take no MASK and no CMD");
  }
  if (!command.empty() && options.mask.empty()) return usage(console, "umask: CMD needs a MASK");
  if (!command.empty() && (options.symbolic || options.reusable)) {
    return usage(console, "umask: -S and -p print, CMD runs: choose one");
  }
  if (!options.mask.empty()) return with_mask(options, command, console);
  if (!options.diff.empty()) return compare(options, console);
  if (!options.pid.empty()) return one_process(options, console);
  if (options.all) {
    const std::vector<inspect::ProcessMask> all = inspect::read_processes();
    if (options.format == TwinFormat::json)
      console.out << masks_json(all);
    else
      console.out << inspect::masks_text(all, Paint(console.out_colour), console.width);
    return done(ExitCode::clean);
  }
  const Result<Mode> mask = inspect::own_mask();
  if (!mask) return fail(console, mask.error());
  console.out << formatted(*mask, options);
  return done(ExitCode::clean);
}

}  // namespace

Action configure_umask(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MASK", options->mask,
                 "Say what this mask means: 0027, u=rwx,g=rx (what it allows), g-w")
      ->type_name("");
  app.add_flag("-S,--symbolic", options->symbolic, "Print what is allowed: u=rwx,g=rx,o=rx");
  app.add_flag("-p,--print", options->reusable, "Print a command that sets this mask");
  app.add_option("--pid", options->pid, "The mask of a process")->type_name("PID");
  app.add_flag("--all", options->all, "The masks of all processes that /proc shows");
  add_twin_format(app, options->format);
  app.add_option("--diff", options->diff,
                 "What one process's mask allows and the other's does not;\n"
                 "exits with 1 when they differ")
      ->type_name("PID")
      ->expected(2);
  return [options](Invocation& invocation) {
    return act(*options, invocation.tail, invocation.console);
  };
}

}  // namespace umaskaudit::commands
