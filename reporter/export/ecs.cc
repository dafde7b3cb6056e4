// See ecs.h. Wall-clock times come from the pair of clocks in the segments' headers. Identifiers
// that ECS calls keywords (inode, uid, gid, error.code) are strings, as it wants them.
#include "reporter/export/ecs.h"

#include <cstring>
#include <ctime>

#include "reporter/export/event_facts.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/timeline_text.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::exports {
namespace {

constexpr char kEcsVersion[] = "8.11.0";
constexpr std::size_t kBlock = 1 << 16;

// "2026-11-21T21:00:00.123456789Z"
std::string timestamp(std::uint64_t real_ns) {
  const auto seconds = static_cast<std::time_t>(real_ns / 1000000000u);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string below = std::to_string(real_ns % 1000000000u + 1000000000u).substr(1);
  return std::string(text, length) + '.' + below + 'Z';
}

// What ECS says of each kind of event.
struct Class {
  const char* category;
  const char* type;
  const char* outcome;
};

const char* outcome_of(std::int32_t error) { return error == 0 ? "success" : "failure"; }

struct ClassOf {
  Class operator()(const ProcessEvent&) const { return {"process", "start", "success"}; }
  Class operator()(const UmaskEvent&) const { return {"process", "change", "success"}; }
  Class operator()(const CreateEvent& e) const {
    const bool opened = e.error == 0 && e.created == trace::Created::no;
    return {"file", opened ? "access" : "creation", outcome_of(e.error)};
  }
  Class operator()(const ChmodEvent& e) const { return {"file", "change", outcome_of(e.error)}; }
  Class operator()(const RenameEvent& e) const {
    const bool gone = e.action == RenameEvent::Action::unlinked;
    const bool made =
        e.action == RenameEvent::Action::linked || e.action == RenameEvent::Action::symlinked;
    return {"file", gone ? "deletion" : made ? "creation" : "change", outcome_of(e.error)};
  }
  Class operator()(const BlindSpotEvent&) const { return {"process", "info", "unknown"}; }
  Class operator()(const LossEvent&) const { return {"process", "info", "unknown"}; }
  Class operator()(const NoteEvent&) const { return {"process", "info", "success"}; }
  Class operator()(const ForkEvent&) const { return {"process", "info", "success"}; }
  Class operator()(const ExecEvent& e) const { return {"process", "info", outcome_of(e.error)}; }
  Class operator()(const ThreadCreateEvent&) const { return {"process", "info", "success"}; }
};

void path_fields(JsonWriter& json, std::string_view path) {
  json.bytes("path", path);
  const PathParts parts = parts_of_path(path);
  if (parts.directory.empty()) return;
  json.text("name", parts.name);
  json.text("directory", parts.directory);
}

void error_fields(JsonWriter& json, std::int32_t error) {
  if (error == 0) return;
  json.begin_object("error");
  json.text("code", std::to_string(error));
  json.text("message", std::strerror(error));
  json.end_object();
}

// The fields of each kind: below `file`, `error`, and `umaskaudit`.
class Fields {
 public:
  explicit Fields(JsonWriter& json) : json_(json) {}

  void operator()(const ProcessEvent& e) {
    ours([&] {
      json_.text("origin", origin_name(e.origin));
      json_.mode("mask", e.mask);
    });
  }
  void operator()(const UmaskEvent& e) {
    ours([&] {
      json_.number("id", e.id);
      json_.mode("old_mask", e.old_mask);
      json_.mode("new_mask", e.new_mask);
      json_.mode("argument", e.argument);
      json_.boolean("drift", e.drift);
      if (e.drift) json_.mode("expected_mask", e.cached);
    });
  }
  void operator()(const CreateEvent& e) {
    json_.begin_object("file");
    path_fields(json_, e.path);
    json_.text("type", kind_name(e.kind));
    if (e.final_mode) json_.mode("mode", *e.final_mode);
    if (e.ino != 0) {
      json_.text("inode", std::to_string(e.ino));
      json_.text("uid", std::to_string(e.uid));
      json_.text("gid", std::to_string(e.gid));
    }
    json_.end_object();
    error_fields(json_, e.error);
    ours([&] {
      json_.mode("requested", render::without_type(e.requested));
      json_.mode("mask", e.mask);
      if (e.mask_set_by) json_.number("mask_set_by", *e.mask_set_by);
      json_.boolean("mask_moved", !e.ambiguous_masks.empty());
      if (e.count > 1) json_.number("count", e.count);
      if (e.created == trace::Created::unknown) json_.boolean("perhaps", true);
      if (e.error == 0 && e.created != trace::Created::no)
        json_.text("derivation", render::derivation_line(e));
    });
  }
  void operator()(const ChmodEvent& e) {
    if (!e.path.empty() || e.final_mode) {
      json_.begin_object("file");
      if (!e.path.empty()) path_fields(json_, e.path);
      if (e.final_mode) json_.mode("mode", *e.final_mode);
      if (e.ino != 0) json_.text("inode", std::to_string(e.ino));
      json_.end_object();
    }
    error_fields(json_, e.error);
    ours([&] { json_.mode("requested", render::without_type(e.requested)); });
  }
  void operator()(const RenameEvent& e) {
    json_.begin_object("file");
    path_fields(json_, e.to.empty() ? e.from : e.to);
    if (e.ino != 0) json_.text("inode", std::to_string(e.ino));
    json_.end_object();
    error_fields(json_, e.error);
    if (!e.to.empty()) ours([&] { json_.bytes("from", e.from); });
  }
  void operator()(const BlindSpotEvent& e) {
    ours([&] {
      json_.text("reason", blind_name(e.reason));
      json_.bytes("text", e.text);
    });
  }
  void operator()(const LossEvent& e) {
    ours([&] {
      json_.text("reason", e.reason);
      json_.number("count", e.count);
      json_.text("text", e.detail);
    });
  }
  void operator()(const NoteEvent& e) {
    ours([&] { json_.bytes("text", e.text); });
  }
  void operator()(const ForkEvent& e) {
    ours([&] { json_.number("child", e.child); });
  }
  void operator()(const ExecEvent& e) {
    error_fields(json_, e.error);
    ours([&] { json_.bytes("program", e.path); });
  }
  void operator()(const ThreadCreateEvent& e) {
    if (e.created_tid != 0) ours([&] { json_.number("thread", e.created_tid); });
  }

 private:
  template <typename Write>
  void ours(const Write& write) {
    json_.begin_object("umaskaudit");
    write();
    json_.end_object();
  }

  JsonWriter& json_;
};

class Writer {
 public:
  Writer(const ExportSource& source, const TextSink& sink) : source_(source), sink_(sink) {}

  void write() {
    bool open = true;
    source_.run.for_each([&](const Event& event) {
      programs_.see(event);
      append(event);
      if (block_.size() >= kBlock) {
        open = sink_(block_);
        block_.clear();
      }
      return open;
    });
    for (const rules::Finding& finding : source_.findings) append(finding);
    if (open) sink_(block_);
  }

 private:
  std::string real_time(std::uint64_t time_ns) const {
    return timestamp(source_.run.real_ns(time_ns));
  }

  void begin(JsonWriter& json, std::uint64_t time_ns) {
    json.begin_object();
    json.text("@timestamp", real_time(time_ns));
    json.begin_object("ecs");
    json.text("version", kEcsVersion);
    json.end_object();
  }

  void process_fields(JsonWriter& json, std::uint32_t pid, std::uint32_t tid,
                      std::string_view thread) {
    if (pid == 0) return;  // a loss of the whole run
    json.begin_object("process");
    json.number("pid", pid);
    if (const LatestImages::Image* program = programs_.find(pid)) {
      json.bytes("name", program->name);
      if (!program->executable.empty()) json.bytes("executable", program->executable);
      json.begin_object("parent");
      json.number("pid", program->ppid);
      json.end_object();
    }
    json.begin_object("thread");
    json.number("id", tid);
    json.bytes("name", thread);
    json.end_object();
    json.end_object();
  }

  // The line of code behind the event, where it is known.
  void origin_fields(JsonWriter& json, StackRef stack) {
    const symbolize::Frame* frame = code_behind(source_.stacks, stack);
    if (frame == nullptr) return;
    json.begin_object("log");
    json.begin_object("origin");
    if (!frame->symbol.empty()) json.bytes("function", frame->symbol);
    if (!frame->file.empty()) {
      json.begin_object("file");
      json.bytes("name", frame->file);
      json.number("line", frame->line);
      json.end_object();
    }
    json.end_object();
    json.end_object();
  }

  static void event_fields(JsonWriter& json, const Class& what, const char* dataset,
                           std::string_view action, std::uint64_t seq) {
    json.begin_object("event");
    json.text("kind", "event");
    json.begin_array("category");
    json.element(std::string_view(what.category));
    json.end_array();
    json.begin_array("type");
    json.element(std::string_view(what.type));
    json.end_array();
    json.text("action", action.empty() ? dataset : action);
    json.text("outcome", what.outcome);
    json.text("module", "umaskaudit");
    json.text("dataset", std::string("umaskaudit.") + dataset);
    json.number("sequence", seq);
    json.end_object();
  }

  void append(const Event& event) {
    const EventBase& base = base_of(event);
    JsonWriter json(block_);
    begin(json, base.time_ns);
    event_fields(json, std::visit(ClassOf{}, event), dataset_of(event), base.call, base.seq);
    json.text("message", render::event_text(event));
    process_fields(json, base.pid, base.tid, base.thread);
    origin_fields(json, base.stack);
    std::visit(Fields(json), event);
    json.end_object();
    block_ += '\n';
  }

  void append(const rules::Finding& finding) {
    const rules::RuleInfo& rule = finding.info();
    JsonWriter json(block_);
    begin(json, finding.culprit ? finding.culprit->time_ns : source_.run.end_ns());
    json.begin_object("event");
    json.text("kind", "alert");
    json.text("action", rule.id);
    json.text("module", "umaskaudit");
    json.text("dataset", "umaskaudit.finding");
    json.number("severity", static_cast<std::uint64_t>(finding.severity) + 1);
    json.end_object();
    json.text("message", finding.message);
    json.begin_object("rule");
    json.text("id", rule.id);
    json.text("name", rule.title);
    json.text("description", rule.explanation);
    json.end_object();
    if (finding.culprit) {
      const rules::EventRef& culprit = *finding.culprit;
      process_fields(json, culprit.pid, culprit.tid, culprit.thread);
      origin_fields(json, culprit.stack);
      const std::string stack = render::stack_lines(source_.stacks.frames(culprit.stack), 0);
      if (!stack.empty()) {
        json.begin_object("error");
        json.text("stack_trace", stack);
        json.end_object();
      }
    }
    json.begin_object("umaskaudit");
    json.text("severity", rules::severity_name(finding.severity));
    if (rule.cwe != 0) json.text("cwe", "CWE-" + std::to_string(rule.cwe));
    json.text("advice", finding.advice);
    json.text("fingerprint", finding.fingerprint);
    json.number("count", finding.count);
    json.end_object();
    json.end_object();
    block_ += '\n';
  }

  const ExportSource& source_;
  const TextSink& sink_;
  std::string block_;
  LatestImages programs_;
};

}  // namespace

void export_ecs(const ExportSource& source, const TextSink& sink) { Writer(source, sink).write(); }

}  // namespace umaskaudit::exports
