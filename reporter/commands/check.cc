// `check`: findings for a pipeline, for people or another program, and an exit code.
// Must never pass a run that it could not read in full: what was lost may be what was wrong.
// Called through the table.
#include "reporter/commands/check.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

#include "reporter/analysis/symbol_chain.h"
#include "reporter/base/clock.h"
#include "reporter/base/output_file.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/objects/local_links.h"
#include "reporter/render/dropped.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/formats/annotations.h"
#include "reporter/render/formats/findings_json.h"
#include "reporter/render/formats/junit.h"
#include "reporter/render/formats/sarif.h"
#include "reporter/render/own_place.h"
#include "reporter/rules/baseline.h"
#include "reporter/rules/find.h"
#include "reporter/rules/policy.h"
#include "reporter/rules/project_file.h"
#include "reporter/rules/suppressions.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kBlock = 1 << 16;

// The user's files, read before the run is opened: mistakes in them are usage errors.
struct Rulings {
  std::optional<rules::Policy> policy;
  std::optional<rules::Baseline> baseline;
  std::optional<rules::Suppressions> suppressions;
};

struct Tally {
  std::array<std::uint64_t, 3> shown{};  // causes, by the severity of their first findings
  std::uint64_t suppressed = 0;
  std::uint64_t known = 0;                // from the baseline
  std::vector<rules::KnownFinding> gone;  // in the baseline only
  bool failing = false;
};

Status read_rulings(const CheckOptions& options, Rulings& rulings) {
  if (!options.policy.empty()) {
    auto policy = rules::read_policy(options.policy);
    if (!policy) return policy.error();
    rulings.policy = std::move(*policy);
  }
  if (!options.baseline.empty()) {
    auto baseline = rules::Baseline::read(options.baseline);
    if (!baseline) return baseline.error();
    rulings.baseline = std::move(*baseline);
  }
  if (!options.suppressions.empty()) {
    auto suppressions =
        rules::Suppressions::read(options.suppressions, utc_date(now_ns(CLOCK_REALTIME)));
    if (!suppressions) return suppressions.error();
    rulings.suppressions = std::move(*suppressions);
  }
  return Done{};
}

// Functions and modules that all of these stacks have.
std::vector<std::string> common_functions(const std::vector<StackRef>& refs,
                                          analysis::StackCache& stacks) {
  std::vector<std::string> common;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    const std::vector<std::string> names = analysis::names_on(stacks.code(refs[i]));
    if (i == 0) {
      common = names;
      continue;
    }
    std::erase_if(common, [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) == names.end();
    });
  }
  return common;
}

// Functions that a suppression may name: those that all that is one finding has passed.
std::vector<std::string> functions_of(const rules::Finding& finding, analysis::StackCache& stacks) {
  std::vector<std::string> names = common_functions(finding.culprit_stacks, stacks);
  const auto add = [&](const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  if (finding.culprit_end) add(analysis::names_on(stacks.code(finding.culprit_end->stack)));
  for (const rules::SequenceStep& step : finding.steps)
    add(analysis::names_on(stacks.code(step.event.stack)));
  if (!finding.victim_stacks.empty())
    add(common_functions(finding.victim_stacks, stacks));
  else if (!finding.victims.empty())
    add(analysis::names_on(stacks.code(finding.victims.front().event.stack)));
  return names;
}

Tally judge(std::vector<rules::Finding>& findings, Rulings& rulings, const CheckOptions& options,
            analysis::StackCache& stacks) {
  Tally tally;
  if (rulings.suppressions)
    for (rules::Finding& finding : findings)
      rulings.suppressions->apply(finding, functions_of(finding, stacks));
  if (rulings.baseline) tally.gone = rulings.baseline->apply(findings);
  // What a filter left out is not among the findings, and may be there all the same.
  if (!options.arguments.filter.empty()) tally.gone.clear();
  for (const rules::Finding& finding : findings) {
    if (!finding.suppressed_by.empty())
      ++tally.suppressed;
    else if (finding.baseline == rules::BaselineState::unchanged)
      ++tally.known;
  }
  for (const render::CauseGroup& group : render::by_cause(findings, true)) {
    const rules::Severity severity = group.front()->severity;
    ++tally.shown[static_cast<std::size_t>(severity)];
    tally.failing |= severity >= options.fail_on;
  }
  return tally;
}

std::string closing_text(const Tally& tally, const rules::FindStats& stats) {
  std::string line = counted(tally.shown[2], "error") + ", " + counted(tally.shown[1], "warning") +
                     ", " + counted(tally.shown[0], "note");
  if (tally.suppressed > 0) line += "; " + std::to_string(tally.suppressed) + " suppressed";
  if (tally.known > 0) line += "; " + std::to_string(tally.known) + " known from the baseline";
  if (!tally.gone.empty())
    line += "; " + std::to_string(tally.gone.size()) + " of the baseline gone";
  line +=
      "; " + counted(stats.creations, "object") + ", " + counted(stats.mask_changes, "mask change");
  if (stats.unresolved > 0)
    line += "; the umask changed during " + counted(stats.ambiguous, "creation") + ", " +
            std::to_string(stats.resolved) + " of them decided by the resulting mode";
  if (stats.unresolved > 0)
    line += "; " + std::to_string(stats.unresolved) + " may have been hit and are not listed";
  return line;
}

// What to do, once for each rule: the first clause. `explain RULE` has the others.
void append_advice(std::string& out, const render::TextContext& context,
                   const rules::FindResult& result) {
  std::set<std::pair<rules::RuleId, std::string>> written;
  for (const rules::Finding& finding : result.findings) {
    if (finding.is_known() || finding.severity == rules::Severity::note) continue;
    std::string advice = finding.advice.substr(0, finding.advice.find(". "));
    advice.resize(std::min(advice.find("; "), advice.size()));
    if (!advice.ends_with('.')) advice += '.';
    if (!written.insert({finding.rule, advice}).second) continue;
    if (written.size() == 1)
      out +=
          context.paint(Style::strong, "What to do instead") + " (more: umaskaudit explain RULE)\n";
    append_wrapped(out, std::string(finding.info().id) + ": " + advice, 2, 6, context.width);
  }
}

void write_text(const render::TextContext& context, const analysis::Summary& unseen,
                const rules::FindResult& result, const Tally& tally,
                const rules::Suppressions* suppressions, std::ostream& stream) {
  std::string out;
  render::FindingTexts texts(context);
  for (const render::CauseGroup& group : render::by_cause(result.findings, true)) {
    if (group.front()->severity == rules::Severity::note)
      render::append_finding_line(out, context, *group.front());
    else
      texts.append(out, group);
    if (out.size() < kBlock) continue;
    stream << out;
    out.clear();
  }
  if (suppressions != nullptr)
    for (const rules::Suppression& line : suppressions->lines())
      if (line.hits > 0)
        out += "suppressed: " + std::to_string(line.hits) + " by " + escape(line.rule) + ":" +
               escape(line.glob) + "  # " + escape(line.reason) + '\n';
  append_advice(out, context, result);
  if (context.root.size() > 1 && !result.findings.empty())
    append_wrapped(out, "Paths are relative to " + escape(context.root) + ", where the run began.",
                   0, 2, context.width);
  if (unseen.blind_spots.empty() && context.run.completeness().losses.empty())
    out += "No blind spots were detected.\n";
  else
    render::append_unseen(out, context, unseen);
  render::append_symbol_notes(out, context);
  append_wrapped(out, closing_text(tally, result.stats), 0, 2, context.width);
  stream << out;
}

void write_jsonl(const rules::FindResult& result, std::ostream& stream) {
  for (const rules::Finding& finding : result.findings) {
    std::string line;
    render::append_finding_json(line, finding);
    stream << line;
  }
}

// Writes each object hit that the filter selects as it is found, when --objects asks for it.
class ObjectList {
 public:
  Status open(const std::string& file) {
    if (file.empty()) return Done{};
    auto output = OutputFile::create(file);
    if (!output) return output.error();
    output_.emplace(std::move(*output));
    return Done{};
  }
  void attach(rules::FindOptions& options, const analysis::Filter& filter) {
    if (!output_) return;
    options.on_final_hit = [this, &filter](const rules::FinalHit& hit) {
      if (!filter.selects(hit)) return;
      line_.clear();
      render::append_hit_json(line_, hit);
      output_->stream() << line_;
    };
  }
  Status close() { return output_ ? output_->commit() : Status(Done{}); }

 private:
  std::optional<OutputFile> output_;
  std::string line_;
};

// What people read in a baseline: places relative to the directory of the run.
rules::BaselineWords words_of(const rules::Finding& finding, analysis::StackCache& stacks,
                              const std::string& root) {
  const auto text = [&](StackRef ref) {
    return render::own_place_text(render::own_place(stacks, ref, root), root);
  };
  rules::BaselineWords words{escape(finding.program), "", ""};
  if (finding.culprit) words.place = text(finding.culprit->stack);
  const bool hit = !finding.victims.empty() &&
                   (!finding.culprit || finding.victims.front().event.seq != finding.culprit->seq);
  if (hit) words.hit = text(finding.victims.front().event.stack);
  return words;
}

// Keeps the dates of the file that is replaced, and of --baseline.
Status save_baseline(const std::string& file, const std::vector<rules::Finding>& findings,
                     OpenedRun& run, const std::optional<rules::Baseline>& known) {
  if (file.empty()) return Done{};
  const std::string root = run.directory();
  rules::BaselineOptions options;
  options.date = utc_text(run.run().begin_real_ns()).substr(0, 10);
  options.words = [&](const rules::Finding& finding) {
    return words_of(finding, run.stacks(), root);
  };
  const Result<rules::Baseline> replaced = rules::Baseline::read(file);
  if (known)
    options.older = &*known;
  else if (replaced)
    options.older = &*replaced;
  auto output = OutputFile::create(file);
  if (!output) return output.error();
  rules::write_baseline(output->stream(), findings, options);
  return output->commit();
}

// Lines of the live log are not part of the trace.
std::uint64_t lost_records(const reader::Completeness& facts) {
  return facts.total_lost() - facts.lost[static_cast<std::size_t>(trace::Loss::log_dropped)];
}

// Programs that can load the library and recorded nothing all the same: their environment was
// cleaned, the library or the run directory was out of their reach, or they never announced
// themselves. Those that can never be recorded (static, another machine) are no part of it.
std::uint64_t unrecorded_programs(const analysis::Summary& unseen) {
  std::uint64_t count = 0;
  for (const analysis::BlindSpots& spot : unseen.blind_spots) {
    const bool could_record = spot.reason == trace::Blind::exec_environment ||
                              spot.reason == trace::Blind::exec_library ||
                              spot.reason == trace::Blind::exec_run_directory ||
                              spot.reason == trace::Blind::exec_silent;
    if (could_record) count += spot.count;
  }
  return count;
}

// Why the run cannot be judged; nothing when it can.
std::optional<Error> incompleteness(const CheckOptions& options, const reader::Completeness& facts,
                                    const analysis::Summary& unseen) {
  const auto too_little = [](const std::string& why, const char* remedy) {
    return Error{"the run is too incomplete to be judged", why, remedy, ExitCode::unreadable};
  };
  const std::uint64_t lost = lost_records(facts);
  const std::uint64_t unrecorded = unrecorded_programs(unseen);
  if (facts.segments == 0) return too_little("nothing was recorded", "umaskaudit doctor");
  if (lost > options.max_loss)
    return too_little(
        counted(lost, "record") + " lost, at most " + std::to_string(options.max_loss) + " allowed",
        "--max-loss");
  if (unrecorded > options.max_unrecorded)
    return too_little(counted(unrecorded, "program") + " ran unrecorded, at most " +
                          std::to_string(options.max_unrecorded) + " allowed",
                      "--max-unrecorded");
  return std::nullopt;
}

ExitCode exit_code(const CheckOptions& options, const Tally& tally,
                   const std::optional<Error>& error) {
  if (error) return error->code;
  const bool fresh_baseline = !options.write_baseline.empty();
  return tally.failing && !fresh_baseline ? ExitCode::findings : ExitCode::clean;
}

// The result of a check; of `unseen`, the blind spots are used.
struct Outcome {
  rules::FindResult result;
  analysis::Summary unseen;
  Tally tally;
  std::optional<Error> error;
};

// Editors open paths from where they started the tool; GitHub knows those of its checkout.
render::AnnotationPlaces annotation_places(OpenedRun& run, const CheckOptions& options) {
  render::AnnotationPlaces places{run.directory(), ""};
  const char* checkout = std::getenv("GITHUB_WORKSPACE");
  std::error_code error;
  places.base = std::filesystem::current_path(error).string();
  if (options.format == CheckFormat::github && checkout != nullptr && *checkout != '\0')
    places.base = checkout;
  return places;
}

void write(OpenedRun& run, const CheckOptions& options, const Outcome& outcome,
           const rules::Suppressions* lines, const Output& output) {
  const render::TextContext context{run.run(), run.stacks(), output.paint, output.width,
                                    run.directory()};
  const auto& [result, unseen, tally, error] = outcome;
  switch (options.format) {
    case CheckFormat::text:
      return write_text(context, unseen, result, tally, lines, output.stream);
    case CheckFormat::jsonl:
      return write_jsonl(result, output.stream);
    case CheckFormat::sarif: {
      render::SarifRun sarif = run.sarif_run();
      sarif.verdict = static_cast<int>(exit_code(options, tally, error));
      if (!error) sarif.absent = tally.gone;  // else it may have been among what was lost
      output.stream << render::sarif_log(context, unseen, sarif, result.findings);
      return;
    }
    case CheckFormat::gcc:
      output.stream << render::gcc_lines(run.stacks(), result.findings,
                                         annotation_places(run, options));
      return;
    case CheckFormat::github:
      output.stream << render::github_commands(run.stacks(), result.findings,
                                               annotation_places(run, options));
      return;
    case CheckFormat::junit:
      output.stream << render::junit_report(
          context, unseen, run.heading(),
          {options.fail_on, error ? error->what + ": " + error->why : "", run.directory()},
          result.findings);
      return;
  }
}

}  // namespace

Status try_rulings(const CheckOptions& options) {
  Rulings rulings;
  return read_rulings(options, rulings);
}

Status apply_project_file(const CLI::App& app, CheckOptions& options, Console& console) {
  std::error_code error;
  const std::filesystem::path here = std::filesystem::current_path(error);
  const std::optional<std::string> file =
      error ? std::nullopt : rules::find_project_file(here.string());
  if (!file) return Done{};
  if (!rules::is_trusted_file(*file)) {
    warn(console, "'" + *file + "' is not read: another user could have put it there");
    return Done{};
  }
  const Result<rules::ProjectFile> read = rules::read_project_file(*file);
  if (!read) return read.error();
  const auto take = [&](const char* name, const auto& value, auto& to) {
    if (value && !is_given(app, name)) to = *value;
  };
  take("--policy", read->policy, options.policy);
  take("--suppressions", read->suppressions, options.suppressions);
  take("--baseline", read->baseline, options.baseline);
  take("--fail-on", read->fail_on, options.fail_on);
  take("--max-loss", read->max_loss, options.max_loss);
  take("--max-unrecorded", read->max_unrecorded, options.max_unrecorded);
  if (!is_given(app, "--path")) options.arguments.filter.paths = read->paths;
  return Done{};
}

int check(CheckOptions& options, Console& console) {
  Rulings rulings;
  if (const Status read = read_rulings(options, rulings); !read) return fail(console, read.error());
  if (options.validate) return static_cast<int>(ExitCode::clean);
  const auto opened = OpenedRun::open(options.arguments, console);
  if (!opened) return fail(console, opened.error());
  OpenedRun& run = **opened;
  run.show_sources();
  warn_of_empty_filter(console, run, options.arguments, false);

  rules::FindOptions find_options;
  name_code(find_options, run.stacks());
  if (options.for_stripped || (rulings.baseline && rulings.baseline->has_code_prints()))
    find_options.machine_code = [&](StackRef ref) {
      return analysis::machine_code_name(run.stacks(), ref);
    };
  if (rulings.policy) find_options.policy = &*rulings.policy;
  const analysis::Filter& filter = options.arguments.filter;
  if (!filter.paths.empty() || rulings.suppressions)
    find_options.skip_object = [&](rules::RuleId rule, std::span<const std::string> names) {
      return !filter.selects_path(names) ||
             (rulings.suppressions && rulings.suppressions->hides(rule, names));
    };
  find_options.links = local_links(run.run());
  find_options.unrecorded = run.unrecorded().objects;
  ObjectList objects;
  if (const Status made = objects.open(options.objects); !made) return fail(console, made.error());
  objects.attach(find_options, filter);
  analysis::SummaryOptions all;
  all.objects = false;
  analysis::Summarizer unseen(all);
  find_options.on_event = [&](const Event& event) {
    if (std::holds_alternative<BlindSpotEvent>(event)) unseen.see(event);
  };
  Outcome outcome;
  std::vector<rules::Finding>& findings = outcome.result.findings;
  outcome.result = rules::find(run.run(), find_options);
  if (const Status done = objects.close(); !done) return fail(console, done.error());
  std::erase_if(findings, [&](const rules::Finding& one) { return !filter.selects(one); });
  outcome.unseen = run.with_unaudited(unseen.finish(run.run().end_ns()));
  outcome.tally = judge(findings, rulings, options, run.stacks());
  if (const Status saved = save_baseline(options.write_baseline, findings, run, rulings.baseline);
      !saved)
    return fail(console, saved.error());
  outcome.error = incompleteness(options, run.run().completeness(), outcome.unseen);
  const rules::Suppressions* lines = rulings.suppressions ? &*rulings.suppressions : nullptr;
  const int written = write_output(console, options.arguments.output, [&](const Output& output) {
    write(run, options, outcome, lines, output);
  });
  if (written != 0) return written;
  // What a filter leaves out, and what no policy asks for, is not held against the lines.
  const auto tried = [&](const rules::Suppression& line) {
    return filter.empty() && (rulings.policy || !line.rule.starts_with("policy-"));
  };
  if (rulings.suppressions)
    for (const std::string& complaint : rulings.suppressions->complaints(tried))
      warn(console, complaint);
  if (const std::string dropped = render::dropped_text(run.run()); !dropped.empty())
    warn(console, "what was dropped was not judged: " + dropped);
  if (outcome.error) return fail(console, *outcome.error);
  return static_cast<int>(exit_code(options, outcome.tally, std::nullopt));
}

std::vector<CLI::Option*> add_ruling_options(CLI::App& app, CheckOptions& options) {
  const auto add_file = [&](const char* name, std::string& to, const char* help) {
    return app.add_option(name, to, help)->type_name("FILE");
  };
  return {
      add_enum_option<CheckFormat>(
          app, "-f,--format", options.format,
          {{"text", CheckFormat::text},
           {"jsonl", CheckFormat::jsonl},
           {"sarif", CheckFormat::sarif},
           {"junit", CheckFormat::junit},
           {"gcc", CheckFormat::gcc},
           {"github", CheckFormat::github}},
          "What to write of the findings; jsonl: a line for each; gcc: lines as of a compiler,\n"
          "for editors; github: annotations of a workflow"),
      add_file("--policy", options.policy, "Widest modes, required masks and forbidden calls"),
      add_file("--suppressions", options.suppressions,
               "Accepted findings, one a line: rule:glob  # reason until=YYYY-MM-DD"),
      add_file("--baseline", options.baseline, "Fail for findings that are not in FILE only"),
      add_enum_option<rules::Severity>(app, "--fail-on", options.fail_on,
                                       {{"note", rules::Severity::note},
                                        {"warning", rules::Severity::warning},
                                        {"error", rules::Severity::error}},
                                       "Exit 1 from this severity on; default: warning"),
      add_number(app, "--max-loss", options.max_loss,
                 "Records that may be lost before the exit code is 3 (default 0)"),
      add_number(app, "--max-unrecorded", options.max_unrecorded,
                 "Programs that may have run unrecorded before the exit code is 3 (default 0)")};
}

Action configure_check(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  add_run_argument(app, options->arguments);
  add_output_option(app, options->arguments);
  add_ruling_options(app, *options);
  app.add_flag("--validate", options->validate,
               "Only read policy, suppressions and baseline: 2 where one of them is wrong");
  CLI::Option* write = app.add_option("--write-baseline", options->write_baseline,
                                      "Write the findings to FILE, and exit 0 whatever they are")
                           ->type_name("FILE");
  app.add_flag("--for-stripped", options->for_stripped,
               "Write into the baseline what stripped copies of this build are known by, too")
      ->needs(write);
  app.add_option(
         "--objects", options->objects,
         "Write every object hit to FILE, as JSON Lines: of --rule, --severity, --path, --kind")
      ->type_name("FILE");
  add_filter_options(app, options->arguments);
  add_symbol_options(app, options->arguments);
  return [options, &app](Invocation& invocation) {
    const Status applied = apply_project_file(app, *options, invocation.console);
    return applied ? check(*options, invocation.console)
                   : fail(invocation.console, applied.error());
  };
}

}  // namespace umaskaudit::commands
