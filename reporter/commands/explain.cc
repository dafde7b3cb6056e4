// `explain`: how a requested mode becomes the mode of the object, bit by bit.
// Must never create anything to find out, nor change the mask to read it.
// Called through the table.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "reporter/analysis/object_history.h"
#include "reporter/commands/command.h"
#include "reporter/commands/notation_error.h"
#include "reporter/commands/object_query.h"
#include "reporter/commands/packed_run.h"
#include "reporter/commands/rules.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/inspect/own_mask.h"
#include "reporter/inspect/parent_facts.h"
#include "reporter/mode/acl_text.h"
#include "reporter/reader/run.h"
#include "reporter/record/run_store.h"
#include "reporter/record/snapshot.h"
#include "reporter/render/explain_text.h"
#include "reporter/render/formats/twins_json.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/text_report.h"
#include "reporter/render/unrecorded_files.h"
#include "reporter/text/escape.h"
#include "reporter/text/similar.h"

namespace umaskaudit::commands {
namespace {

constexpr char kHelp[] = "umaskaudit explain --help";

struct Options {
  std::string first, second;  // MODE MASK, or RUN PATH
  std::string acl, parent;
  bool directory = false;
  TwinFormat format = TwinFormat::text;
};

int print(Console& console, const render::Explanation& explanation) {
  console.out << render::explanation_text(explanation, Paint(console.out_colour), console.width);
  return static_cast<int>(ExitCode::clean);
}

int explain_mode(const Options& options, Mode requested, Console& console) {
  const Result<Mode> current = inspect::own_mask();
  if (!current) return fail(console, current.error());
  const Parsed<Mode> mask =
      options.second.empty() ? *current : parse_mask(options.second, *current);
  if (const auto* error = std::get_if<NotationError>(&mask)) {
    return fail_notation(console, "mask", options.second, *error, kHelp);
  }
  render::Explanation explanation;
  CreationFacts& facts = explanation.facts;
  facts.kind = options.directory ? trace::Kind::dir : trace::Kind::file;
  facts.requested = requested;
  if (!options.parent.empty()) {
    const Result<ParentFacts> parent = inspect::read_parent(options.parent);
    if (!parent) return fail(console, parent.error());
    facts.parent = *parent;
    facts.foreign_group = inspect::foreign_group(*parent);
  }
  if (!options.acl.empty()) {
    const auto mode = facts.parent ? std::optional<Mode>(facts.parent->mode) : std::nullopt;
    const Parsed<DefaultAcl> acl = parse_acl_text(options.acl, mode);
    if (const auto* error = std::get_if<NotationError>(&acl)) {
      return fail_notation(console, "ACL", options.acl, *error, kHelp);
    }
    if (!facts.parent) facts.parent.emplace();
    facts.parent->acl = std::get<DefaultAcl>(acl);
  }
  explanation.derivation = predict(facts, std::get<Mode>(mask));
  if (facts.parent && filesystem_decides(facts.parent->fs_type)) {
    warn(console, filesystem_name(facts.parent->fs_type) +
                      " may set modes by itself: this is what others would do");
  }
  if (!options.second.empty()) warn_of_mode(console, std::get<Mode>(mask));
  if (options.format == TwinFormat::json) {
    console.out << render::explain_json({facts, explanation.derivation, {}, {}, {}, {}, nullptr});
    return static_cast<int>(ExitCode::clean);
  }
  return print(console, explanation);
}

// A program may make "dir/", and a shell completes it so.
std::string_view without_slash(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

// An absolute path is the object's; a relative one ends it, or is what the program passed.
bool names(const std::string& wanted, const CreateEvent& event) {
  const std::string_view path = without_slash(wanted);
  const std::string_view made = without_slash(event.path);
  if (made == path) return true;
  // O_TMPFILE is passed the directory.
  if (event.kind == trace::Kind::tmpfile) return false;
  if (without_slash(event.path_arg) == path) return true;
  if (!event.link.empty() && without_slash(event.link) == path) return true;
  return !path.empty() && path.front() != '/' && made.size() > path.size() &&
         made.ends_with(path) && made[made.size() - path.size() - 1] == '/';
}

// Which call set the mask of a recorded creation; `blame` shows its whole history.
std::string chooser_text(const analysis::ObjectHistory& history) {
  const std::string mask = "The umask " + octal(history.creation->mask);
  if (history.setter)
    return mask + " was set by thread " +
           render::thread_text(history.setter->thread, history.setter->tid) + " of process " +
           std::to_string(history.setter->pid) + "; umaskaudit blame says where.\n";
  if (history.creation->mask_setter_dropped) return mask + " was set before the record is whole.\n";
  return mask + " was inherited" +
         (history.put_back ? ": it was changed in this run, and put back.\n"
                           : ": no call in this run set it.\n");
}

struct Recorded {
  std::string path;
  render::Explanation explanation;
  bool made = false;           // by this call, and not only opened
  std::string born_path{};     // empty: as `path`
  std::optional<Mode> mode{};  // that the run left it with, where that is known
  std::string chooser{};       // a sentence; empty: not looked for
  std::optional<analysis::ObjectHistory> history{};
};

// The creation of the object that has the name `path` now, or had it last.
std::optional<Recorded> find_made(const reader::Run& run, const analysis::ObjectQuery& query) {
  const std::vector<analysis::ObjectHistory> histories = analysis::object_histories(run, query);
  for (const analysis::ObjectHistory& history : histories) {
    if (!history.creation || history.creation->steps.empty()) continue;
    const CreateEvent& create = *history.creation;
    Recorded found{history.path, {facts_of(create), {}}, true};
    found.born_path = create.path;
    found.mode = history.mode;
    found.chooser = chooser_text(history);
    found.history = history;
    found.explanation.derivation = {create.steps, create.mask, create.ambiguous_masks.size() > 1};
    return found;
  }
  return std::nullopt;
}

// The latest creation of `path`, or the latest opening where it was never created.
std::optional<Recorded> find_recorded(const reader::Run& run, const std::string& path) {
  std::optional<Recorded> found;
  run.for_each_folded([&](const Event& event) {
    const auto* create = std::get_if<CreateEvent>(&event);
    if (create == nullptr || create->error != 0 || create->steps.empty()) return true;
    const bool made = create->created != trace::Created::no;
    if (!names(path, *create) || (found && found->made && !made)) return true;
    found = Recorded{create->path, {facts_of(*create), {}}, made, {}, {}};
    found->explanation.derivation = {create->steps, create->mask,
                                     create->ambiguous_masks.size() > 1};
    return true;
  });
  return found;
}

// Only what `blame` says of it, too: no call is known.
int explain_unrecorded(const Options& options, const reader::Run& run,
                       const UnrecordedObject& object, Console& console) {
  if (options.format == TwinFormat::json)
    console.out << render::explain_unrecorded_json(run.directory(), object);
  else
    console.out << render::unrecorded_text(object, Paint(console.out_colour), console.width);
  return static_cast<int>(ExitCode::clean);
}

int explain_recorded(const Options& options, Console& console) {
  const Result<std::string> path = record::find_run(options.first);
  if (!path) return fail(console, path.error());
  Result<ReadableRun> readable = open_run_or_pack(*path);
  if (!readable) return fail(console, readable.error());
  const reader::Run* run = &readable->run;
  const analysis::ObjectQuery query = query_of(options.second, *run);
  std::optional<Recorded> found = find_made(*run, query);
  if (!found) {
    found = find_recorded(*run, options.second);
    // A whole path is taken for an object of the run, with all that is known of it.
    if (found && found->made) found = find_made(*run, query_of(found->path, *run)).value_or(*found);
  }
  if (!found || !found->made) {
    const analysis::UnrecordedObjects appeared =
        unrecorded_of(*run, record::read_run_record(run->place()));
    if (const UnrecordedObject* object = find_unrecorded(appeared, query); object != nullptr)
      return explain_unrecorded(options, *run, *object, console);
  }
  if (!found) {
    const bool tried = analysis::failed_attempts(*run, query).count != 0;
    return fail(console, {"no creation of '" + options.second + "' in this run",
                          tried ? "calls that would have created it failed" : "",
                          tried ? "umaskaudit blame " + *path + ' ' + options.second
                                : "umaskaudit report " + *path,
                          ExitCode::usage});
  }
  const CreationFacts& facts = found->explanation.facts;
  if (options.format == TwinFormat::json) {
    const auto mode = found->mode ? std::optional<Mode>(*found->mode & 07777) : std::nullopt;
    console.out << render::explain_json({facts, found->explanation.derivation, run->directory(),
                                         found->path, found->born_path, mode,
                                         found->history ? &*found->history : nullptr});
    return static_cast<int>(ExitCode::clean);
  }
  console.out << escape(found->path) << ": " << kind_name(facts.kind) << " by "
              << escape(facts.call) << '\n';
  if (!found->born_path.empty() && found->born_path != found->path)
    console.out << "Born as " << escape(found->born_path) << ".\n";
  const std::vector<Step>& steps = found->explanation.derivation.steps;
  if (found->mode && (*found->mode & 07777) != (steps.back().mode & 07777))
    console.out << "Changed to " << octal(*found->mode)
                << " since; umaskaudit blame says by whom.\n";
  if (found->explanation.derivation.ambiguous) {
    console.out << "The umask changed during the call; the value shown is the one that matches the "
                   "resulting mode.\n";
  }
  console.out << found->chooser;
  return print(console, found->explanation);
}

// The rule whose id was mistyped; empty: none.
std::string similar_rule(const std::string& word) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < rules::kRuleCount; ++i)
    ids.emplace_back(rules::rule_info(static_cast<rules::RuleId>(i)).id);
  return most_similar(word, ids);
}

int explain(const Options& options, Console& console) {
  const Parsed<Mode> mode = parse_mode(options.first, 0, options.directory);
  if (const Mode* requested = std::get_if<Mode>(&mode)) {
    return explain_mode(options, *requested, console);
  }
  if (const rules::RuleInfo* rule = rules::find_rule(options.first);
      rule != nullptr && options.second.empty())
    return explain_rule(*rule, options.format, console);
  // A mode wins over a run of the same name, and so does a rule: write that one as ./NAME.
  struct stat status {};
  const bool exists = ::stat(options.first.c_str(), &status) == 0;
  if (!options.second.empty() && (exists || record::is_stored_run(options.first)))
    return explain_recorded(options, console);
  if (record::holds_run(options.first)) {
    return fail(console,
                {"explain: no path given", "", "umaskaudit explain RUN PATH", ExitCode::usage});
  }
  if (options.second.empty() && (exists || options.first.find('/') != std::string::npos)) {
    Options of_latest = options;  // one word is PATH, of the latest run
    of_latest.first.swap(of_latest.second);
    return explain_recorded(of_latest, console);
  }
  if (const std::string rule = similar_rule(options.first); !rule.empty())
    return fail(console, {"no rule is called '" + options.first + "'", "",
                          "umaskaudit explain " + rule, ExitCode::usage});
  return fail_notation(console, "mode", options.first, std::get<NotationError>(mode), kHelp);
}

}  // namespace

Action configure_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODE", options->first,
                 "What is asked for: 0666, u=rw,go=r; a rule, as in window-overlap;\na run; or "
                 "PATH, of the latest run")
      ->type_name("")
      ->required();
  app.add_option("MASK", options->second,
                 "The umask: 0022, u=rwx,go=rx (what it allows); default: the caller's own;\n"
                 "or the path of an object that the run recorded")
      ->type_name("");
  app.add_flag("-d,--dir", options->directory, "A directory, as by mkdir(2)");
  add_twin_format(app, options->format);
  app.add_option("--acl", options->acl,
                 "The default ACL of the directory above, as for setfacl: u::rwx,g::rx,o::-")
      ->type_name("TEXT");
  app.add_option("--parent", options->parent,
                 "The directory above: its set-group-ID, default ACL and filesystem count")
      ->type_name("DIR");
  return [options](Invocation& invocation) { return explain(*options, invocation.console); };
}

}  // namespace umaskaudit::commands
