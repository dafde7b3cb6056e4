#include "reporter/render/formats/twins_json.h"

#include <functional>

#include "reporter/render/formats/json_summary.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {
namespace {

void begin(JsonWriter& json, const std::string& run) {
  json.begin_object();
  json.number("schema", kJsonSchema);
  json.bytes("run", run);
}

void modes(JsonWriter& json, std::string_view key, const std::vector<Mode>& all) {
  json.begin_array(key);
  for (const Mode mode : all) json.element(std::string_view(octal(mode)));
  json.end_array();
}

// An event with its whole stack, as a line of JSON Lines is.
class Events {
 public:
  explicit Events(const TextContext& context) : lines_(context.run, context.stacks, true) {}

  void element(JsonWriter& json, const Event& event) {
    const std::string line = text(event);
    if (!line.empty()) json.raw(line);
  }
  void member(JsonWriter& json, const std::string& key, const Event& event) {
    const std::string line = text(event);
    if (!line.empty()) json.raw('"' + key + "\":" + line);
  }

 private:
  std::string text(const Event& event) {
    std::string line;
    lines_.append(line, event);
    if (!line.empty()) line.pop_back();
    return line;
  }
  JsonLines lines_;
};

void disk(JsonWriter& json, const BlamedObject& object) {
  if (!object.disk) return;
  const OnDisk& disk = *object.disk;
  json.begin_object("on_disk");
  json.integer("errno", disk.error);
  if (disk.error == 0) {
    json.number("ino", disk.ino);
    json.mode("mode", disk.mode);
    json.number("uid", disk.uid);
    json.number("gid", disk.gid);
    if (object.history.creation) json.boolean("same", object.history.creation->ino == disk.ino);
  }
  json.end_object();
}

void object(JsonWriter& json, Events& events, const BlamedObject& object) {
  const analysis::ObjectHistory& history = object.history;
  json.begin_object();
  json.bytes("path", object.path);
  json.begin_array("names");
  for (const std::string& name : history.names) json.element(std::string_view(name));
  json.end_array();
  if (history.creation) json.bytes("born_path", history.creation->path);
  json.text("state", state_name(history.state));
  json.mode("mode", history.mode ? std::optional<Mode>(*history.mode & 07777) : std::nullopt);
  if (history.creation) events.member(json, "creation", *history.creation);
  if (history.setter) events.member(json, "mask_setter", *history.setter);
  if (history.put_back) events.member(json, "mask_put_back", *history.put_back);
  json.begin_array("changes");
  for (const Event& event : history.afterwards) events.element(json, event);
  json.end_array();
  disk(json, object);
  json.end_object();
}

std::string blamed(const TextContext& context, const std::string& asked,
                   const std::function<void(JsonWriter&)>& rest) {
  std::string out;
  JsonWriter json(out);
  begin(json, context.run.directory());
  json.bytes("path", asked);
  rest(json);
  json.end_object();
  return out += '\n';
}

void no_objects(JsonWriter& json) {
  json.begin_array("objects");
  json.end_array();
}

}  // namespace

std::string threads_json(const TextContext& context, const analysis::Summary& summary,
                         const std::vector<Culprit>& all, std::size_t rows) {
  std::string out;
  JsonWriter json(out);
  begin(json, context.run.directory());
  json.number("begin_ns", context.run.begin_ns());
  json.number("end_ns", context.run.end_ns());
  json.number("threads", summary.threads);
  json.number("changes", summary.mask_changes);
  json.number("left_out", all.size() - rows);
  json.begin_array("mask_changes");
  for (std::size_t i = 0; i < rows; ++i) write_culprit(json, all[i]);
  json.end_array();
  write_unseen(json, summary, context.run.completeness());
  json.end_object();
  return out += '\n';
}

std::string timeline_json_begin(const reader::Run& run) {
  std::string out;
  JsonWriter json(out);
  begin(json, run.directory());
  json.number("begin_ns", run.begin_ns());
  json.begin_array("events");
  return out;
}

std::string timeline_json_end(std::uint64_t shown, std::uint64_t left_out) {
  return "],\"shown\":" + std::to_string(shown) + ",\"left_out\":" + std::to_string(left_out) +
         "}\n";
}

std::string blame_json(const TextContext& context, const std::string& asked,
                       const std::vector<BlamedObject>& objects) {
  return blamed(context, asked, [&](JsonWriter& json) {
    Events events(context);
    json.begin_array("objects");
    for (const BlamedObject& one : objects) object(json, events, one);
    json.end_array();
  });
}

namespace {

void appeared(JsonWriter& json, const UnrecordedObject& object) {
  json.begin_object("appeared");
  json.bytes("path", object.path);
  json.text("kind", kind_name(object.kind));
  json.mode("mode", object.mode);
  json.number("uid", object.uid);
  json.number("gid", object.gid);
  json.number("time_ns", object.time_ns);
  json.end_object();
}

}  // namespace

std::string explain_unrecorded_json(const std::string& run, const UnrecordedObject& object) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", kJsonSchema);
  json.bytes("run", run);
  json.bytes("path", object.path);
  json.text("kind", kind_name(object.kind));
  json.mode("mode", object.mode);
  appeared(json, object);
  json.end_object();
  return out + '\n';
}

std::string blame_unrecorded_json(const TextContext& context, const std::string& asked,
                                  const UnrecordedObject& object) {
  return blamed(context, asked, [&](JsonWriter& json) {
    no_objects(json);
    appeared(json, object);
  });
}

std::string blame_failures_json(const TextContext& context, const std::string& asked,
                                const analysis::FailedAttempts& attempts) {
  return blamed(context, asked, [&](JsonWriter& json) {
    no_objects(json);
    Events events(context);
    json.number("failed", attempts.count);
    json.begin_array("failures");
    for (const analysis::FailedAttempt& attempt : attempts.first)
      events.element(json, attempt.event);
    json.end_array();
  });
}

std::string explain_json(const Explained& explained) {
  const CreationFacts& facts = explained.facts;
  const Derivation& derivation = explained.derivation;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", kJsonSchema);
  if (explained.run) json.bytes("run", *explained.run);
  if (explained.path) json.bytes("path", *explained.path);
  if (!explained.born_path.empty()) json.bytes("born_path", explained.born_path);
  json.text("kind", kind_name(facts.kind));
  if (!facts.call.empty()) json.text("call", facts.call);
  json.mode("requested", without_type(facts.requested));
  json.mode("mask", derivation.mask);
  json.mode("final", without_type(derivation.steps.back().mode));
  if (explained.run) json.mode("mode", explained.mode_now);
  json.boolean("ambiguous", derivation.ambiguous);
  if (!facts.masks.empty()) modes(json, "masks", facts.masks);
  write_steps(json, derivation.steps);
  if (const analysis::ObjectHistory* history = explained.history; history != nullptr) {
    if (history->setter) {
      json.begin_object("mask_setter");
      json.number("id", history->setter->id);
      json.number("seq", history->setter->seq);
      json.number("pid", history->setter->pid);
      json.number("tid", history->setter->tid);
      json.bytes("thread", history->setter->thread);
      json.end_object();
    } else {
      json.null("mask_setter");
    }
  }
  json.end_object();
  return out += '\n';
}

}  // namespace umaskaudit::render
