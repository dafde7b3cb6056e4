#include "reporter/render/unrecorded_files.h"

#include <algorithm>

#include "reporter/objects/object_lives.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kMostNamed = 20;
constexpr char kAdvice[] =
    "it appeared while the run was recorded, in a directory that the run used, and no record names "
    "it; what could not be seen may have made it";

// No event made it: the members that every event has are empty.
void begin_line(JsonWriter& json, const char* type, std::uint64_t time_ns) {
  json.begin_object();
  json.text("type", type);
  json.number("seq", 0);
  json.number("time_ns", time_ns);
  json.number("pid", 0);
  json.number("tid", 0);
  json.text("thread", "");
  json.number("fs", 0);
}

void end_line(JsonWriter& json, std::string& out) {
  json.end_object();
  out += '\n';
}

}  // namespace

void append_unrecorded(std::string& out, const TextContext& context,
                       const analysis::UnrecordedObjects& found) {
  const std::vector<UnrecordedObject>& files = found.objects;
  if (!found.incomplete.empty())
    out += "  " + context.paint(Style::warning, "what appeared is not complete") + ": " +
           found.incomplete + '\n';
  if (files.empty()) return;
  std::string lines;
  append_wrapped(lines,
                 "created by unknown means: files that appeared during the run without a recorded "
                 "call",
                 2, 6, context.width);
  constexpr std::string_view kTitle = "created by unknown means";
  lines.replace(2, kTitle.size(), context.paint(Style::warning, kTitle));
  out += lines;
  const std::size_t named = std::min(files.size(), kMostNamed);
  for (std::size_t i = 0; i < named; ++i) {
    const UnrecordedObject& file = files[i];
    out +=
        "      " + context.paint(mode_style(file.mode), octal(file.mode)) + ' ' +
        kind_name(file.kind) + " of " + std::to_string(file.uid) + ':' + std::to_string(file.gid) +
        "  " + shown_path(context, file.path) +
        (file.more_names.empty() ? "" : " (" + counted(file.more_names.size() + 1, "name") + ')') +
        '\n';
  }
  if (files.size() > named)
    out += "      ... and " + std::to_string(files.size() - named) + " more\n";
}

void append_unrecorded_json(std::string& out, const UnrecordedObject& file) {
  JsonWriter json(out);
  begin_line(json, "blind_spot", file.time_ns);
  json.text("reason", "appeared");
  json.bytes("text", file.path);
  json.text("advice", kAdvice);
  json.text("kind", kind_name(file.kind));
  json.mode("final", file.mode);
  json.number("uid", file.uid);
  json.number("gid", file.gid);
  end_line(json, out);
}

namespace {

void append_object(std::string& out, const UnrecordedObject& file, const std::string& name,
                   std::uint64_t id) {
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "object");
  json.number("id", id);
  json.text("kind", kind_name(file.kind));
  json.bytes("path", name);
  json.null("born_path");
  json.null("born_mode");
  json.mode("mode", file.mode);
  json.number("uid", file.uid);
  json.number("gid", file.gid);
  json.text("state", state_name(ObjectState::there));
  json.number("changes", 0);
  json.null("created_by");
  json.null("mask_set_by");
  if (file.ino == 0) {
    json.null("dev");
    json.null("ino");
  } else {
    json.number("dev", file.dev);
    json.number("ino", file.ino);
  }
  json.end_object();
  out += '\n';
}

}  // namespace

void append_unrecorded_object_json(std::string& out, const UnrecordedObject& file,
                                   std::uint64_t id) {
  append_object(out, file, file.path, id);
  for (const std::string& name : file.more_names) append_object(out, file, name, id);
}

std::string unrecorded_text(const UnrecordedObject& file, const Paint& paint, std::size_t width) {
  std::string out = paint(Style::strong, escape(file.path)) + '\n';
  for (const std::string& name : file.more_names) out += "  also named " + escape(name) + '\n';
  out += std::string("  ") + kind_name(file.kind) + ' ' +
         paint(mode_style(file.mode), octal(file.mode)) + ' ' + rwx(file.mode) + ", owner " +
         std::to_string(file.uid) + ':' + std::to_string(file.gid) + '\n';
  append_wrapped(out,
                 "It appeared while the run was recorded, and no record names it: a process that "
                 "could not be recorded made it. The blind spots of umaskaudit report say which "
                 "ones there were.",
                 2, 2, width);
  return out;
}

void append_incomplete_json(std::string& out, const analysis::UnrecordedObjects& found) {
  if (found.incomplete.empty()) return;
  JsonWriter json(out);
  begin_line(json, "note", 0);
  json.text("text", "what appeared without a record is not complete: " + found.incomplete);
  end_line(json, out);
}

}  // namespace umaskaudit::render
