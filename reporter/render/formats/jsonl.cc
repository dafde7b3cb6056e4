// One function a type; the common fields in one place.
// Must never print an address as the identity of anything: offsets are relative to a build id.
// Called by `report --format jsonl`.
#include "reporter/render/formats/jsonl.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "reporter/render/dropped.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/uuid.h"

namespace umaskaudit::render {
namespace {

void fields(JsonWriter& json, const ProcessEvent& event, bool whole) {
  json.number("ppid", event.ppid);
  json.bytes("comm", event.comm);
  json.bytes("exe", event.exe);
  json.text("origin", origin_name(event.origin));
  json.mode("mask", event.mask);
  json.text("mask_source", mask_source_name(event.mask_source));
  json.number("uid", event.uid);
  if (whole || event.euid != event.uid) json.number("euid", event.euid);
  json.number("gid", event.gid);
  if (whole || event.egid != event.gid) json.number("egid", event.egid);
}

void fields(JsonWriter& json, const UmaskEvent& event, bool whole) {
  json.number("id", event.id);
  json.mode("old", event.old_mask);
  json.mode("new", event.new_mask);
  if (whole || event.argument != event.new_mask) json.mode("argument", event.argument);
  if (whole || event.drift) json.boolean("drift", event.drift);
  if (event.drift) json.mode("expected", event.cached);
  if (event.drift_set_by) json.number("drift_set_by", *event.drift_set_by);
  if (event.folded.count == 1) return;
  json.number("count", event.folded.count);
  json.number("shortest_ns", event.folded.shortest_ns);
  json.number("longest_ns", event.folded.longest_ns);
  json.number("total_ns", event.folded.total_ns);
}

void created(JsonWriter& json, trace::Created value) {
  switch (value) {
    case trace::Created::no:
      json.boolean("created", false);
      return;
    case trace::Created::yes:
      json.boolean("created", true);
      return;
    case trace::Created::probably:
      json.boolean("created", true);
      json.boolean("certain", false);
      return;
    case trace::Created::unknown:
      json.text("created", "unknown");
      return;
  }
}

// Of a creation, or of the object that it made.
template <typename Made>
void mask_set_by(JsonWriter& json, const Made& made, bool whole) {
  if (made.mask_set_by)
    json.number("mask_set_by", *made.mask_set_by);
  else if (whole || made.mask_setter_dropped)
    json.text("mask_set_by", made.mask_setter_dropped ? "dropped" : "inherited");
}

void error_number(JsonWriter& json, int error, bool whole) {
  if (whole || error != 0) json.integer("errno", error);
}

// How many of the last names of `path` `passed` is, as it stands there, a negative number where it
// has "./" in front; 0: none.
std::int64_t names_passed(std::string_view path, std::string_view passed) {
  const bool dotted = passed.starts_with("./");
  if (dotted) passed.remove_prefix(2);
  if (passed.empty() || passed.front() == '/' || path.size() <= passed.size()) return 0;
  if (!path.ends_with(passed) || path[path.size() - passed.size() - 1] != '/') return 0;
  const std::int64_t names = 1 + std::count(passed.begin(), passed.end(), '/');
  return dotted ? -names : names;
}

void path_argument(JsonWriter& json, const CreateEvent& event, bool whole) {
  if (event.path_arg == event.path) return;
  const std::int64_t names = whole ? 0 : names_passed(event.path, event.path_arg);
  if (names != 0)
    json.integer("passed", names);
  else
    json.bytes("path_arg", event.path_arg);
}

// What left out steps stand for: the mask took its bits away, and nothing else happened; or there
// was an object already.
bool has_usual_steps(const CreateEvent& event) {
  const std::vector<Step>& steps = event.steps;
  if (event.created == trace::Created::no) return steps.empty();
  const Mode asked = without_type(event.requested), left = asked & ~event.mask;
  return steps.size() == 2 && steps[0].rule == Rule::requested && steps[0].sets == asked &&
         steps[0].clears == 0 && steps[0].mode == asked && steps[0].fs_type == 0 &&
         steps[1].rule == Rule::umask && steps[1].sets == 0 &&
         steps[1].clears == (asked & event.mask) && steps[1].mode == left &&
         steps[1].fs_type == 0 && event.final_mode == left;
}

void fields(JsonWriter& json, const CreateEvent& event, bool whole) {
  if (whole || event.kind != trace::Kind::file) json.text("kind", kind_name(event.kind));
  json.bytes("path", event.path);
  path_argument(json, event, whole);
  if (!event.link.empty()) json.bytes("link", event.link);
  json.mode("requested", without_type(event.requested));
  json.mode("mask", event.mask);
  json.mode("final", event.final_mode);
  created(json, event.created);
  mask_set_by(json, event, whole);
  if (!event.ambiguous_masks.empty()) {
    json.begin_array("ambiguous_masks");
    for (const Mode mask : event.ambiguous_masks) json.element(std::string_view(octal(mask)));
    json.end_array();
  }
  if (whole || !has_usual_steps(event)) write_steps(json, event.steps);
  if (event.count > 1) json.number("count", event.count);
  error_number(json, event.error, whole);
  json.number("ino", event.ino);
}

void fields(JsonWriter& json, const ChmodEvent& event, bool whole) {
  json.text("action", change_name(event));
  json.bytes("path", event.path);
  json.mode("requested", without_type(event.requested));
  if (whole || event.final_mode != without_type(event.requested))
    json.mode("final", event.final_mode);
  error_number(json, event.error, whole);
  json.number("ino", event.ino);
}

void fields(JsonWriter& json, const RenameEvent& event, bool whole) {
  json.text("action", change_name(event));
  if (event.action == RenameEvent::Action::symlinked) {
    json.bytes("path", event.to);
    json.bytes("target", event.from);
  } else {
    json.bytes("path", event.from);
    if (!event.to.empty()) json.bytes("to", event.to);
  }
  error_number(json, event.error, whole);
  json.number("ino", event.ino);
}

void fields(JsonWriter& json, const BlindSpotEvent& event, bool /*whole*/) {
  json.text("reason", blind_name(event.reason));
  json.bytes("text", event.text);
  json.text("advice", blind_advice(event.reason));
}

void fields(JsonWriter& json, const LossEvent& event, bool /*whole*/) {
  json.text("reason", event.reason);
  json.number("count", event.count);
  json.text("detail", event.detail);
}

void fields(JsonWriter& json, const NoteEvent& event, bool /*whole*/) {
  json.bytes("text", event.text);
}

// The JSON type of each event; null for those that schema 2 does not have.
constexpr const char* type_name(const ProcessEvent*) { return "process"; }
constexpr const char* type_name(const UmaskEvent*) { return "umask"; }
constexpr const char* type_name(const CreateEvent*) { return "create"; }
constexpr const char* type_name(const ChmodEvent*) { return "change"; }
constexpr const char* type_name(const RenameEvent*) { return "change"; }
constexpr const char* type_name(const BlindSpotEvent*) { return "blind_spot"; }
constexpr const char* type_name(const LossEvent*) { return "loss"; }
constexpr const char* type_name(const NoteEvent*) { return "note"; }
constexpr std::nullptr_t type_name(const EventBase*) { return nullptr; }

// Why frames of that module may have no name: notes begin with the module's path. Null: none does.
const std::string* note_of(const std::vector<std::string>& notes, const std::string& module) {
  const auto found = std::find_if(notes.begin(), notes.end(), [&](const std::string& note) {
    return note.size() > module.size() && note.starts_with(module) && note[module.size()] == ':';
  });
  return module.empty() || found == notes.end() ? nullptr : &*found;
}

void append_frame(JsonWriter& json, const symbolize::Frame& frame,
                  const std::vector<std::string>& notes) {
  json.begin_object();
  json.bytes("module", frame.module);
  json.text("build_id", frame.build_id);
  json.number("offset", frame.offset);
  json.bytes("symbol", frame.symbol);
  json.bytes("file", frame.file);
  json.number("line", frame.line);
  json.boolean("inlined", frame.inlined);
  json.text("language", frame.language);
  if (frame.folded) json.boolean("folded", true);
  if (frame.line_of_other) json.boolean("line_of_other", true);
  const std::string* note =
      frame.symbol.empty() && !frame.script ? note_of(notes, frame.module) : nullptr;
  if (note != nullptr) json.bytes("symbol_note", *note);
  json.end_object();
}

}  // namespace

// Members of an object: the frames under `key`, where there were more of them `truncated`, and
// where some of a script may be missing `partial`.
void write_steps(JsonWriter& json, const std::vector<Step>& steps) {
  json.begin_array("steps");
  for (const Step& step : steps) {
    json.begin_object();
    json.text("rule", rule_name(step.rule));
    if (step.sets != 0) json.mode("sets", step.sets);
    if (step.clears != 0) json.mode("clears", step.clears);
    json.mode("mode", step.mode);
    if (step.fs_type != 0) json.text("filesystem", filesystem_name(step.fs_type));
    json.end_object();
  }
  json.end_array();
}

std::string JsonLines::frames_json(StackRef ref, const char* key, const char* truncated,
                                   const char* partial) {
  std::string text;
  JsonWriter json(text);
  json.begin_array(key);
  for (const symbolize::Frame& frame : stacks_.frames(ref))
    append_frame(json, frame, stacks_.symbol_notes());
  json.end_array();
  if (source_.stack_truncated(ref)) json.boolean(truncated, true);
  const std::optional<ScriptStack> script = source_.script(ref);
  if (script && script->partial) json.boolean(partial, true);
  return text;
}

// The number of the stack, whose line is appended when it is new.
std::uint64_t JsonLines::number_of(std::string& out, StackRef ref) {
  std::uint64_t& number = numbers_[analysis::StackCache::key(ref)];
  if (number != 0) return number;
  // Each process image has recorded its own: of many runs of one program they are equal.
  const auto [line, first] =
      lines_.try_emplace(frames_json(ref, "frames", "truncated", "partial"), lines_.size() + 1);
  number = line->second;
  if (!first) return number;
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "stack");
  json.number("id", number);
  json.raw(line->first);
  json.end_object();
  out += '\n';
  return number;
}

// Name and fs context: as in the line before of the same thread, where they are left out.
void JsonLines::thread_of(JsonWriter& json, const EventBase& event) {
  constexpr std::uint64_t kUsed = 1;  // 0 is no key
  ThreadState none;
  ThreadState& state =
      whole_ ? none : threads_[(std::uint64_t{event.pid} << 32 | event.tid) + kUsed];
  if (!state.known || state.name != event.thread) {
    json.bytes("thread", event.thread);
    state.name = event.thread;
  }
  if (!state.known || state.fs != event.fs) json.number("fs", event.fs);
  state.fs = event.fs;
  state.known = true;
}

// A member that is left out has the value of the line before of the same type.
void JsonLines::place_of(JsonWriter& json, Place& written, const Place& place) {
  if (whole_ || written.dev != place.dev) json.number("dev", *place.dev);
  if (place.uid && (whole_ || written.uid != place.uid)) json.number("uid", *place.uid);
  if (place.gid && (whole_ || written.gid != place.gid)) json.number("gid", *place.gid);
  written = place;
}

template <typename T>
void JsonLines::append_event(std::string& out, const char* type, const T& event,
                             std::uint64_t object) {
  const bool has_stack = event.stack.id != 0;
  const std::uint64_t stack = has_stack && !whole_ ? number_of(out, event.stack) : 0;
  StackRef starter;
  if constexpr (std::is_same_v<T, ProcessEvent>) starter = event.started;
  const std::uint64_t started_by = starter.id != 0 && !whole_ ? number_of(out, starter) : 0;
  JsonWriter json(out);
  json.begin_object();
  json.text("type", type);
  json.number("seq", event.seq);
  json.number("time_ns", event.time_ns);
  json.number("pid", event.pid);
  if (whole_ || event.tid != event.pid) json.number("tid", event.tid);
  thread_of(json, event);
  if (!event.call.empty()) json.text("call", event.call);
  if (object != 0) json.number("object", object);
  fields(json, event, whole_);
  if constexpr (std::is_same_v<T, CreateEvent>)
    place_of(json, create_place_, {event.dev, event.uid, event.gid});
  else if constexpr (std::is_same_v<T, ChmodEvent> || std::is_same_v<T, RenameEvent>)
    place_of(json, change_place_, {event.dev, std::nullopt, std::nullopt});
  if (stack != 0) json.number("stack", stack);
  if (started_by != 0) json.number("started_by", started_by);
  if (starter.id != 0 && whole_)
    json.raw(frames_json(starter, "started_by", "started_by_truncated", "started_by_partial"));
  if (has_stack && whole_) {
    const auto [entry, fresh] = expanded_.try_emplace(analysis::StackCache::key(event.stack));
    if (fresh)
      entry->second = frames_json(event.stack, "stack", "stack_truncated", "stack_partial");
    json.raw(entry->second);
  }
  json.end_object();
  out += '\n';
}

std::string boot_id_text(const RunLine& run) {
  const UuidBytes& id = run.boot_id;
  if (std::none_of(id.begin(), id.end(), [](auto byte) { return byte; })) return "";
  return uuid_text(id);
}

void append_run_json(std::string& out, const RunLine& run) {
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "run");
  json.number("schema", kJsonSchema);
  json.text("tool", run.tool);
  json.bytes("program", run.program);
  if (!run.host.empty()) json.bytes("host", run.host);
  if (!run.machine.empty()) json.bytes("machine", run.machine);
  if (!run.kernel.empty()) json.bytes("kernel", run.kernel);
  if (const std::string boot = boot_id_text(run); !boot.empty()) json.text("boot_id", boot);
  if (run.started_real_ns != 0) json.number("started_real_ns", run.started_real_ns);
  json.number("begin_ns", run.begin_ns);
  if (run.end_ns != 0) json.number("end_ns", run.end_ns);
  if (run.complete)
    json.boolean("complete", *run.complete);
  else
    json.null("complete");
  if (run.whole_since_ns != 0) json.number("whole_since_ns", run.whole_since_ns);
  if (run.exit_code) json.integer("exit_code", *run.exit_code);
  if (run.signal != 0) json.integer("signal", run.signal);
  json.end_object();
  out += '\n';
}

void JsonLines::append_totals(std::string& out, const Dropped& dropped) {
  for (const DroppedRow& row : dropped_rows(dropped, stacks_)) {
    const StackRef ref = row.events.stack;
    const std::uint64_t stack = ref.id != 0 && !whole_ ? number_of(out, ref) : 0;
    JsonWriter json(out);
    json.begin_object();
    json.text("type", "total");
    dropped_fields(json, row.events);
    if (stack != 0) json.number("stack", stack);
    if (ref.id != 0 && whole_)
      json.raw(frames_json(ref, "stack", "stack_truncated", "stack_partial"));
    json.end_object();
    out += '\n';
  }
}

void JsonLines::append_object(std::string& out, const ObjectLife& life, const std::string& path) {
  const std::optional<Mode> mode = life.mode_known ? std::optional<Mode>(life.mode) : std::nullopt;
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "object");
  json.number("id", life.id);
  json.text("kind", kind_name(life.kind));
  json.bytes("path", path);
  if (whole_ || life.born_path != path) json.bytes("born_path", life.born_path);
  if (whole_ || mode != life.born_mode) json.mode("born_mode", life.born_mode);
  json.mode("mode", mode);
  json.text("state", state_name(life.state));
  if (whole_ || life.changes != 0) json.number("changes", life.changes);
  json.number("created_by", life.born.seq);
  mask_set_by(json, life, whole_);
  if (life.settled_by.seq != 0) json.number("mode_set_by", life.settled_by.seq);
  json.number("ino", life.ino);
  place_of(json, object_place_, {life.dev, life.uid, life.gid});
  json.end_object();
  out += '\n';
}

void JsonLines::append(std::string& out, const Event& event, std::uint64_t object,
                       const ObjectLives& lives) {
  const auto* chmod = std::get_if<ChmodEvent>(&event);
  const ObjectLife* life = object == 0 ? nullptr : lives.find(object);
  if (chmod == nullptr || !chmod->path.empty() || life == nullptr)
    return append(out, event, object);
  ChmodEvent named = *chmod;
  named.path = lives.path(*life);
  append(out, named, object);
}

void JsonLines::append(std::string& out, const Event& event, std::uint64_t object) {
  std::visit(
      [&](const auto& one) {
        constexpr auto kType = type_name(static_cast<std::decay_t<decltype(one)>*>(nullptr));
        if constexpr (!std::is_same_v<decltype(kType), const std::nullptr_t>)
          append_event(out, kType, one, object);
      },
      event);
}

}  // namespace umaskaudit::render
