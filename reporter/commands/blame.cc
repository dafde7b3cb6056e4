// `blame`: the history of one object's permissions, back to the umask call that decided its mode.
// Must never open the object: lstat(2) is all that it is looked at by.
// Called through the table.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <ostream>

#include "reporter/analysis/object_history.h"
#include "reporter/commands/command.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/commands/object_query.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/objects/local_links.h"
#include "reporter/render/formats/twins_json.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/step_table.h"
#include "reporter/render/timeline_text.h"
#include "reporter/render/unrecorded_files.h"
#include "reporter/render/whole_since.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  RunArguments arguments;
  std::string path;
  TwinFormat format = TwinFormat::text;
};

// The name that the user gave, where the object has it, or where no name of it is recorded.
const std::string& name_of(const analysis::ObjectHistory& history, const std::string& asked) {
  const auto& names = history.names;
  const bool has = std::find(names.begin(), names.end(), asked) != names.end();
  return has || history.path.empty() ? asked : history.path;
}

class BlameReport {
 public:
  // `asked`: the name that the user gave, which is shown where the object has it. `appeared`: what
  // is found on disk under it, whose creation has no record; may be null.
  BlameReport(OpenedRun& opened, const Output& output, std::string asked,
              const UnrecordedObject* appeared)
      : opened_(opened), output_(output), asked_(std::move(asked)), appeared_(appeared) {}

  std::string text(const analysis::ObjectHistory& history) {
    out_.clear();
    if (history.creation)
      tell_creation(history);
    else
      tell_unrecorded(history);
    if (history.creation) tell_mask(*history.creation, history);
    tell_afterwards(history);
    tell_disk(history);
    return std::move(out_);
  }

 private:
  void title(const std::string& text) { out_ += output_.paint(Style::strong, text) + '\n'; }

  std::string who(const EventBase& event) const {
    return "thread " + render::thread_text(event.thread, event.tid) + " of process " +
           std::to_string(event.pid) + " at " +
           offset_text(event.time_ns, opened_.run().begin_ns()) + " s";
  }
  void stack(const EventBase& event) {
    const std::string lines = render::event_stack_lines(opened_.stacks(), event.stack, 4);
    out_ += lines.empty() ? "    no stack was recorded\n" : lines;
  }

  void tell_unrecorded(const analysis::ObjectHistory& history) {
    if (appeared_ != nullptr) {
      out_ += render::unrecorded_text(*appeared_, output_.paint, output_.width);
      return;
    }
    title(escape(name_of(history, asked_)));
    out_ += "  made before the run, or unseen\n";
  }

  void tell_creation(const analysis::ObjectHistory& history) {
    const CreateEvent& event = *history.creation;
    const std::string& name = name_of(history, asked_);
    title(escape(name));
    for (const std::string& other : history.names)
      if (other != name) out_ += "  also named " + escape(other) + '\n';
    if (name != event.path) out_ += "  born as " + escape(event.path) + '\n';
    if (event.kind == trace::Kind::tmpfile && history.names.empty())
      out_ += "  a file without a name, made in " +
              escape(event.path.substr(0, event.path.rfind('/'))) + '\n';
    if (history.state != ObjectState::there)
      out_ += std::string("  at the end of the run: ") + state_name(history.state) + '\n';
    out_ += std::string("  ") + kind_name(event.kind) + " made by " + escape(event.call) + " in " +
            who(event) + '\n';
    if (event.created != trace::Created::yes)
      out_ += "  (another process may have made it at the same moment)\n";
    stack(event);
    title("How its mode came about");
    out_ += render::step_table(event.steps, facts_of(event)).text(output_.width, output_.paint);
  }

  void tell_mask(const CreateEvent& event, const analysis::ObjectHistory& history) {
    title("Where the mask " + octal(event.mask) + " came from");
    if (!event.ambiguous_masks.empty()) {
      out_ += "  it changed during the call; candidates:";
      for (const Mode mask : event.ambiguous_masks) out_ += ' ' + octal(mask);
      out_ += '\n';
    }
    if (history.setter)
      tell_call("  ", *history.setter, event);
    else if (event.mask_setter_dropped)
      tell_dropped();
    else
      tell_inherited(event, history.put_back.has_value());
    if (history.put_back) tell_call("  put back last by ", *history.put_back, event);
  }

  void tell_call(const char* role, const UmaskEvent& call, const CreateEvent& event) {
    out_ += std::string(role) + "umask " + octal(call.argument) + " (was " + octal(call.old_mask) +
            ") in " + who(call);
    if (event.time_ns > call.time_ns)
      out_ += ", " + duration_text(event.time_ns - call.time_ns) + " before " + escape(event.call) +
              " returned";
    out_ += '\n';
    const bool other = call.tid != event.tid || call.pid != event.pid;
    if (other)
      out_ += output_.paint(Style::warning, "  not the thread that made the object") + '\n';
    if (call.pid != event.pid) tell_descent(event.pid, call.pid);
    stack(call);
  }

  void tell_dropped() {
    const std::string since = render::whole_since_text(opened_.run());
    out_ += "  set before the record is whole";
    out_ += since.empty() ? ": there is no record of that call\n" : " (" + since + ")\n";
  }

  // All that was known when the run began: what its first process was born with, and from whom.
  void tell_inherited(const CreateEvent& event, bool put_back) {
    out_ += put_back ? "  inherited: it was changed in this run, and put back\n"
                     : "  inherited: no call in this run set it\n";
    const ProcessEvent* first = tell_descent(event.pid, 0);
    if (first == nullptr) return;
    out_ += "  process " + std::to_string(first->pid) + " (" + escape(first->comm) +
            ") was born with " + octal(first->mask) + ", known from " +
            mask_source_name(first->mask_source);
    const std::optional<record::RunRecord>& record = opened_.record();
    if (record && !record->parent.empty())
      out_ += "; umaskaudit run was started by " + escape(record->parent) + ' ' +
              std::to_string(record->parent_pid);
    else
      out_ += "; its parent " + std::to_string(first->ppid) + " was not recorded";
    out_ += '\n';
  }

  // By which processes the mask came down to `pid`, from `ancestor` or from the first one recorded.
  // Returns the eldest; null when `pid` is not recorded or no descendant.
  const ProcessEvent* tell_descent(std::uint32_t pid, std::uint32_t ancestor) {
    const std::vector<ProcessEvent>& all = opened_.run().processes();
    const ProcessEvent* eldest = nullptr;
    std::string line;
    // Parents come before children: one pass from the youngest is enough, whatever ids say.
    for (auto image = all.rbegin(); image != all.rend(); ++image) {
      if (image->pid != pid) continue;
      const bool another = eldest == nullptr || eldest->pid != pid;
      eldest = &*image;
      if (another) {
        line.insert(0,
                    escape(image->comm) + ' ' + std::to_string(pid) + (line.empty() ? "" : " > "));
      }
      const auto earlier = std::find_if(image + 1, all.rend(), [&](const ProcessEvent& other) {
        return other.pid == image->pid;
      });
      if (earlier == all.rend() && image->pid != ancestor) pid = image->ppid;
    }
    if (eldest == nullptr || (ancestor != 0 && eldest->pid != ancestor)) return nullptr;
    if (line.find(" > ") != std::string::npos) out_ += "  handed down: " + line + '\n';
    return eldest;
  }

  void tell_afterwards(const analysis::ObjectHistory& history) {
    if (history.afterwards.empty()) return;
    title("Afterwards");
    const render::TimelineStyle style{opened_.run().begin_ns(), output_.paint, true};
    for (const Event& event : history.afterwards)
      render::append_timeline(out_, event, opened_.stacks(), style);
  }

  void tell_disk(const analysis::ObjectHistory& history) {
    title("On disk now");
    if (is_packed(opened_.run())) {
      out_ += "  not looked at: the run was packed, maybe on another machine\n";
      return;
    }
    struct stat facts {};
    const std::string& name = name_of(history, asked_);
    if (lstat(name.c_str(), &facts) != 0) {
      out_ += "  " + escape(name) + ": " + std::strerror(errno) + '\n';
      return;
    }
    const Mode mode = facts.st_mode & 07777;
    out_ += "  " + escape(name) + ' ' + output_.paint(render::mode_style(mode), octal(mode)) + ' ' +
            rwx(mode) + ", owner " + std::to_string(facts.st_uid) + ':' +
            std::to_string(facts.st_gid);
    const std::optional<Mode> recorded =
        history.mode ? std::optional<Mode>(*history.mode & 07777) : std::nullopt;
    const bool same = history.creation && history.creation->ino == facts.st_ino;
    if (history.creation && !same)
      out_ += ": a different file has this name now";
    else if (recorded && *recorded == mode)
      out_ += ", as the run left it";
    else if (recorded)
      out_ += ", changed since: the run left it " + octal(*recorded);
    out_ += '\n';
  }

  OpenedRun& opened_;
  const Output& output_;
  const std::string asked_;
  const UnrecordedObject* const appeared_;
  std::string out_;
};

render::OnDisk look_at(const std::string& path) {
  render::OnDisk disk;
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    disk.error = errno;
    return disk;
  }
  disk.ino = facts.st_ino;
  disk.mode = facts.st_mode & 07777;
  disk.uid = facts.st_uid;
  disk.gid = facts.st_gid;
  return disk;
}

render::TextContext context_of(OpenedRun& opened, const Output& output) {
  return {opened.run(), opened.stacks(), output.paint, output.width};
}

std::string histories_json(const std::vector<analysis::ObjectHistory>& histories,
                           const std::string& asked, const render::TextContext& context) {
  std::vector<render::BlamedObject> objects;
  const bool packed = is_packed(context.run);
  for (const analysis::ObjectHistory& history : histories) {
    const std::string& name = name_of(history, asked);
    objects.push_back({history, name, packed ? std::optional<render::OnDisk>() : look_at(name)});
  }
  return render::blame_json(context, asked, objects);
}

// What is on disk since the run, and was made by something that no record names.
int blame_unrecorded(const Options& options, const UnrecordedObject& object, OpenedRun& opened,
                     Console& console) {
  return write_output(console, options.arguments.output, [&](const Output& output) {
    if (options.format == TwinFormat::json) {
      output.stream << render::blame_unrecorded_json(context_of(opened, output), object.path,
                                                     object);
      return;
    }
    output.stream << render::unrecorded_text(object, output.paint, output.width);
  });
}

// For a path that no object has, and that calls failed to create: prints these calls. Exit code as
// for an unknown path.
int blame_failures(const Options& options, const std::string& path,
                   const analysis::FailedAttempts& attempts, OpenedRun& opened, Console& console) {
  const int written = write_output(console, options.arguments.output, [&](const Output& output) {
    if (options.format == TwinFormat::json) {
      output.stream << render::blame_failures_json(context_of(opened, output), path, attempts);
      return;
    }
    std::string out = output.paint(Style::strong, escape(path)) + '\n';
    out += "  was not created: ";
    out += attempts.count == 1 ? "the call failed\n"
                               : std::to_string(attempts.count) + " calls failed\n";
    const render::TimelineStyle style{opened.run().begin_ns(), output.paint, true};
    for (const analysis::FailedAttempt& attempt : attempts.first)
      render::append_timeline(out, attempt.event, opened.stacks(), style,
                              attempt.refusal ? render::refusal_text(*attempt.refusal) : "");
    if (attempts.count > attempts.first.size())
      out += "  ... and " + std::to_string(attempts.count - attempts.first.size()) + " more\n";
    output.stream << out;
  });
  return written != 0 ? written : static_cast<int>(ExitCode::findings);
}

int blame(Options& options, Console& console) {
  const auto opened = OpenedRun::open(options.arguments, console);
  if (!opened) return fail(console, opened.error());
  const analysis::ObjectQuery query = query_of(options.path, (*opened)->run());
  const std::vector<analysis::ObjectHistory> histories =
      analysis::object_histories((*opened)->run(), query);
  const bool made =
      std::any_of(histories.begin(), histories.end(),
                  [](const analysis::ObjectHistory& one) { return one.creation.has_value(); });
  const UnrecordedObject* appeared =
      made ? nullptr : find_unrecorded((*opened)->unrecorded(), query);
  if (histories.empty() && appeared != nullptr)
    return blame_unrecorded(options, *appeared, **opened, console);
  if (histories.empty()) {
    const analysis::FailedAttempts attempts = analysis::failed_attempts((*opened)->run(), query);
    if (attempts.count != 0)
      return blame_failures(options, query.path, attempts, **opened, console);
  }
  if (histories.empty()) {
    const std::string near = nearest_object(**opened, query.path);
    return fail(console,
                {"no object of that name was created: '" + query.path + "'",
                 (*opened)->run().completeness().hides_creations
                     ? "something that this run could not see may have made it (report lists what)"
                 : (*opened)->run().dropped().any()
                     ? "it may have been made before the record is whole (report says from when on)"
                     : "the run names others",
                 near.empty() ? "umaskaudit report " + options.arguments.run + " --path '*NAME*'"
                              : "'" + near + "'",
                 ExitCode::findings});
  }
  return write_output(console, options.arguments.output, [&](const Output& output) {
    if (options.format == TwinFormat::json) {
      output.stream << histories_json(histories, query.path, context_of(**opened, output));
      return;
    }
    BlameReport report(**opened, output, query.path, appeared);
    for (std::size_t i = 0; i < histories.size(); ++i) {
      if (i != 0) output.stream << '\n';
      output.stream << report.text(histories[i]);
    }
    std::string notes;
    render::append_symbol_notes(
        notes, {(*opened)->run(), (*opened)->stacks(), output.paint, output.width});
    output.stream << notes;
  });
}

}  // namespace

Action configure_blame(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  app.add_option("PATH", options->path, "The object, as it was or is named")->type_name("");
  add_twin_format(app, options->format);
  add_output_option(app, options->arguments);
  add_symbol_options(app, options->arguments);
  return [options](Invocation& invocation) {
    // One word is PATH, of the latest run.
    if (options->path.empty()) std::swap(options->path, options->arguments.run);
    if (options->path.empty())
      return fail(invocation.console,
                  {"blame: no object given", "", "umaskaudit blame [RUN] PATH", ExitCode::usage});
    return blame(*options, invocation.console);
  };
}

}  // namespace umaskaudit::commands
