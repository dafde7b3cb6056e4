// Records of otlp.h. Names are those of OpenTelemetry's semantic conventions, version 1.36.
#include <algorithm>
#include <cstring>

#include "reporter/export/otlp.h"
#include "reporter/export/otlp_attributes.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/timeline_text.h"
#include "reporter/text/escape.h"

namespace umaskaudit::exports {
namespace {

constexpr std::size_t kMostStack = 32 << 10;  // bytes of a stack's text

// SeverityNumber of the data model of logs.
struct Level {
  unsigned number;
  const char* text;
};
constexpr Level kInfo{9, "INFO"}, kWarn{13, "WARN"}, kError{17, "ERROR"};

Level level_of(const Event& event) {
  if (std::holds_alternative<LossEvent>(event)) return kError;
  return std::holds_alternative<BlindSpotEvent>(event) ? kWarn : kInfo;
}

Level level_of(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::note:
      return kInfo;
    case rules::Severity::warning:
      return kWarn;
    case rules::Severity::error:
      return kError;
  }
  return kError;
}

void begin_record(JsonWriter& json, std::uint64_t real_ns, Level level, const std::string& name,
                  const std::string& body) {
  const std::string when = std::to_string(real_ns);
  json.begin_object();
  json.text("timeUnixNano", when);
  json.text("observedTimeUnixNano", when);  // the recorder was there
  json.number("severityNumber", level.number);
  json.text("severityText", level.text);
  json.text("eventName", "umaskaudit." + name);
  otlp_text_value(json, "body", body);
  json.begin_array("attributes");
}

void end_record(JsonWriter& json) {
  json.end_array();
  json.end_object();
}

void file_path(OtlpAttributes& out, std::string_view path) {
  out.bytes("file.path", path);
  const PathParts parts = parts_of_path(path);
  if (parts.directory.empty()) return;
  out.text("file.name", parts.name);
  out.text("file.directory", parts.directory);
}

void inode(OtlpAttributes& out, std::uint64_t dev, std::uint64_t ino) {
  if (ino == 0) return;
  out.text("file.inode", std::to_string(ino));
  out.number("umaskaudit.dev", dev);
}

void error_fields(OtlpAttributes& out, std::int32_t error) {
  if (error == 0) return;
#if __GLIBC_PREREQ(2, 32)
  const char* name = strerrorname_np(error);
#else
  const char* name = nullptr;
#endif
  out.text("error.type", name != nullptr ? name : std::to_string(error));
  out.text("error.message", std::strerror(error));
}

// What only one kind has.
class Fields {
 public:
  explicit Fields(OtlpAttributes& out) : out_(out) {}

  void operator()(const ProcessEvent& e) {
    out_.text("umaskaudit.origin", origin_name(e.origin));
    out_.mode("umaskaudit.mask", e.mask);
    out_.number("process.user.id", e.euid);
    out_.number("process.real_user.id", e.uid);
  }
  void operator()(const UmaskEvent& e) {
    out_.number("umaskaudit.id", e.id);
    out_.mode("umaskaudit.old_mask", e.old_mask);
    out_.mode("umaskaudit.new_mask", e.new_mask);
    out_.mode("umaskaudit.argument", e.argument);
    out_.boolean("umaskaudit.drift", e.drift);
    if (e.drift) out_.mode("umaskaudit.expected_mask", e.cached);
    count(e.folded.count);
  }
  void operator()(const CreateEvent& e) {
    const bool made = e.error == 0 && e.created != trace::Created::no;
    file_path(out_, e.path);
    out_.text("umaskaudit.kind", kind_name(e.kind));
    if (e.final_mode) out_.mode("file.mode", *e.final_mode);
    inode(out_, e.dev, e.ino);
    if (e.ino != 0) {
      out_.text("file.owner.id", std::to_string(e.uid));
      out_.text("file.group.id", std::to_string(e.gid));
    }
    error_fields(out_, e.error);
    out_.boolean("umaskaudit.created", made);
    if (made && e.created == trace::Created::unknown) out_.boolean("umaskaudit.perhaps", true);
    out_.mode("umaskaudit.requested", render::without_type(e.requested));
    out_.mode("umaskaudit.mask", e.mask);
    if (e.mask_set_by) out_.number("umaskaudit.mask_set_by", *e.mask_set_by);
    out_.boolean("umaskaudit.mask_moved", !e.ambiguous_masks.empty());
    if (made) out_.text("umaskaudit.derivation", render::derivation_line(e));
    count(e.count);
  }
  void operator()(const ChmodEvent& e) {
    if (!e.path.empty()) file_path(out_, e.path);
    if (e.final_mode) out_.mode("file.mode", *e.final_mode);
    inode(out_, e.dev, e.ino);
    error_fields(out_, e.error);
    out_.mode("umaskaudit.requested", render::without_type(e.requested));
  }
  void operator()(const RenameEvent& e) {
    file_path(out_, e.to.empty() ? e.from : e.to);
    inode(out_, e.dev, e.ino);
    error_fields(out_, e.error);
    if (e.to.empty()) return;
    const bool link = e.action == RenameEvent::Action::symlinked;
    out_.bytes(link ? "file.symbolic_link.target_path" : "umaskaudit.from", e.from);
  }
  void operator()(const BlindSpotEvent& e) {
    out_.text("umaskaudit.reason", blind_name(e.reason));
    out_.bytes("umaskaudit.text", e.text);
    out_.text("umaskaudit.advice", blind_advice(e.reason));
  }
  void operator()(const LossEvent& e) {
    out_.text("umaskaudit.reason", e.reason);
    out_.number("umaskaudit.count", e.count);
    out_.bytes("umaskaudit.text", e.detail);
  }
  void operator()(const NoteEvent& e) { out_.bytes("umaskaudit.text", e.text); }
  void operator()(const ForkEvent& e) { out_.number("umaskaudit.child", e.child); }
  void operator()(const ExecEvent& e) {
    out_.bytes("umaskaudit.program", e.path);
    error_fields(out_, e.error);
  }
  void operator()(const ThreadCreateEvent& e) {
    if (e.created_tid != 0) out_.number("umaskaudit.thread", e.created_tid);
  }

 private:
  void count(std::uint64_t count) {
    if (count > 1) out_.number("umaskaudit.count", count);
  }

  OtlpAttributes& out_;
};

// What tells apart events of one moment that no thread's clock does.
struct Distinguish {
  RecordId& id;

  void operator()(const BlindSpotEvent& e) { id.add(blind_name(e.reason)).add(e.text); }
  void operator()(const LossEvent& e) { id.add(e.reason).add(e.count).add(e.detail); }
  void operator()(const EventBase&) {}
};

void stack_text(OtlpAttributes& out, const char* key, analysis::StackCache& stacks, StackRef ref) {
  std::string text = render::stack_lines(stacks.frames(ref), 0);
  if (text.size() > kMostStack) {
    text.resize(text.rfind('\n', kMostStack) + 1);
    text += "...\n";
  }
  if (!text.empty()) out.text(key, text);
}

void first_victim(OtlpAttributes& out, const rules::Victim& victim) {
  if (!victim.path.empty()) {
    file_path(out, victim.path);
    out.mode("file.mode", victim.last_mode.value_or(victim.mode));
    out.text("umaskaudit.kind", kind_name(victim.kind));
    if (victim.expected != victim.mode) out.mode("umaskaudit.expected", victim.expected);
  }
  if (victim.event.tid == 0) return;
  out.number("umaskaudit.victim.pid", victim.event.pid);
  out.number("umaskaudit.victim.tid", victim.event.tid);
}

}  // namespace

OtlpRecords::OtlpRecords(analysis::StackCache& stacks, const render::RunLine& run)
    : stacks_(stacks) {
  const std::string_view boot(reinterpret_cast<const char*>(run.boot_id.data()),
                              run.boot_id.size());
  machine_.add(boot);
  // A machine that did not say of which boot a clock is: the clock alone may have been there
  // before.
  if (boot.find_first_not_of('\0') == boot.npos) machine_.add(run.host).add(run.started_real_ns);
  run_ = machine_;
  run_.add(run.started_real_ns);
}

// A thread does one thing at a time, so that its clock names what it did: the same in each reading
// of the run, while it grows and afterwards.
RecordId OtlpRecords::id_of(const Event& event) {
  const EventBase& base = base_of(event);
  // Not of the run's clock: what `run` knew before it began.
  const bool is_numbered = base.seq != 0;
  RecordId id = is_numbered ? machine_ : run_;
  id.add(event.index()).add(is_numbered ? base.time_ns : 0).add(base.pid).add(base.tid);
  std::visit(Distinguish{id}, event);
  if (base.time_ns != latest_ns_) of_latest_.clear();
  latest_ns_ = base.time_ns;
  of_latest_.push_back(id);
  const auto same = std::count(of_latest_.begin(), of_latest_.end(), id);
  return same == 1 ? id : id.add(static_cast<std::uint64_t>(same));
}

void OtlpRecords::who(OtlpAttributes& out, std::uint32_t pid, std::uint32_t tid,
                      std::string_view thread) {
  if (pid == 0) return;  // a loss of the whole run
  out.number("process.pid", pid);
  if (const LatestImages::Image* program = programs_.find(pid)) {
    out.number("process.parent_pid", program->ppid);
    const std::string_view path = program->executable;
    if (!path.empty()) out.bytes("process.executable.path", path);
    const PathParts parts = parts_of_path(path);
    out.bytes("process.executable.name", parts.name.empty() ? program->name : parts.name);
  }
  out.number("thread.id", tid);
  if (!thread.empty()) out.bytes("thread.name", thread);
}

void OtlpRecords::where(OtlpAttributes& out, StackRef stack) {
  const symbolize::Frame* frame = code_behind(stacks_, stack);
  if (frame == nullptr) return;
  if (!frame->symbol.empty()) out.bytes("code.function.name", frame->symbol);
  if (frame->file.empty()) return;
  out.bytes("code.file.path", frame->file);
  out.number("code.line.number", frame->line);
}

std::string OtlpRecords::of(const Event& event, std::uint64_t real_ns) {
  programs_.see(event);
  const EventBase& base = base_of(event);
  std::string text;
  JsonWriter json(text);
  begin_record(json, real_ns, level_of(event), dataset_of(event), render::event_text(event));
  OtlpAttributes out(json);
  out.text("log.record.uid", id_of(event).text());
  out.number("umaskaudit.sequence", base.seq);
  if (!base.call.empty()) out.bytes("umaskaudit.call", base.call);
  who(out, base.pid, base.tid, base.thread);
  where(out, base.stack);
  std::visit(Fields(out), event);
  end_record(json);
  return text;
}

std::string OtlpRecords::of(const rules::Finding& finding, std::uint64_t real_ns) {
  const rules::RuleInfo& rule = finding.info();
  std::string text;
  JsonWriter json(text);
  begin_record(json, real_ns, level_of(finding.severity), "finding", escape(finding.message));
  OtlpAttributes out(json);
  RecordId id = run_;
  id.add(rule.id).add(finding.fingerprint).add(finding.subject).add(finding.count);
  out.text("log.record.uid", id.text());
  out.text("umaskaudit.rule.id", rule.id);
  out.text("umaskaudit.rule.name", rule.title);
  if (rule.cwe != 0) out.text("umaskaudit.rule.cwe", "CWE-" + std::to_string(rule.cwe));
  out.text("umaskaudit.severity", rules::severity_name(finding.severity));
  out.text("umaskaudit.fingerprint", finding.fingerprint);
  out.text("umaskaudit.advice", finding.advice);
  out.number("umaskaudit.count", finding.count);
  if (finding.culprit) {
    const rules::EventRef& culprit = *finding.culprit;
    if (!culprit.call.empty()) out.bytes("umaskaudit.call", culprit.call);
    who(out, culprit.pid, culprit.tid, culprit.thread);
    where(out, culprit.stack);
    stack_text(out, "code.stacktrace", stacks_, culprit.stack);
  }
  if (!finding.victims.empty()) {
    first_victim(out, finding.victims.front());
    const StackRef stack = finding.victims.front().event.stack;
    if (!finding.culprit || !(stack == finding.culprit->stack))
      stack_text(out, "umaskaudit.victim.stacktrace", stacks_, stack);
  }
  end_record(json);
  return text;
}

}  // namespace umaskaudit::exports
