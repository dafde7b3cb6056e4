#include "reporter/render/formats/sarif_parts.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "reporter/render/own_place.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"
#include "reporter/text/percent.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render::sarif {
std::string uri_path(std::string_view path) { return percent_encoded(path, "-._~/"); }

std::string message_text(std::string_view raw) {
  std::string out;
  for (const char c : escape(raw)) {
    if (c == '[' || c == ']') out += '\\';
    if (c == '{' || c == '}') out += c;
    out += c;
  }
  return out;
}

std::string iso_time(std::uint64_t real_ns) {
  std::string text = utc_text(real_ns);  // "2026-11-21 21:00:00 UTC"
  text[text.find(' ')] = 'T';
  std::array<char, 16> fraction{};
  const int length = std::snprintf(fraction.data(), fraction.size(), ".%03uZ",
                                   static_cast<unsigned>(real_ns / 1000000 % 1000));
  return text.substr(0, text.find(' ')) +
         std::string(fraction.data(), static_cast<std::size_t>(length));
}

std::string iso_time(const Log& log, std::uint64_t time_ns) {
  return iso_time(log.context.run.real_ns(time_ns));
}

void message(JsonWriter& json, std::string_view key, std::string_view raw) {
  json.begin_object(key);
  json.text("text", message_text(raw));
  json.end_object();
}

void artifact(JsonWriter& json, const Log& log, const std::string& path) {
  const std::string& root = log.run.root;
  const bool below = root.size() > 1 && path.size() > root.size() + 1 &&
                     path.compare(0, root.size(), root) == 0 && path[root.size()] == '/';
  json.begin_object("artifactLocation");
  if (below) {
    json.text("uri", uri_path(std::string_view(path).substr(root.size() + 1)));
    json.text("uriBaseId", kRoot);
  } else {
    const bool absolute = !path.empty() && path.front() == '/';
    json.text("uri", (absolute ? "file://" : "") + uri_path(path));
  }
  json.end_object();
}

void frame_members(JsonWriter& json, const Log& log, const symbolize::Frame& frame) {
  const std::string source = source_of(frame, log.run.root);
  if (!source.empty() || !frame.module.empty()) {
    json.begin_object("physicalLocation");
    artifact(json, log, source.empty() ? frame.module : source);
    if (source.empty()) {
      if (!frame.script) {
        json.begin_object("address");
        json.number("relativeAddress", frame.offset);
        json.end_object();
      }
    } else if (frame.line != 0) {
      json.begin_object("region");
      json.number("startLine", frame.line);
      json.end_object();
    }
    json.end_object();
  }
  if (frame.symbol.empty()) return;
  json.begin_array("logicalLocations");
  json.begin_object();
  json.text("fullyQualifiedName", escape(frame.symbol));
  json.text("kind", "function");
  json.end_object();
  json.end_array();
}

bool has_stack(const Log& log, const rules::EventRef& event) {
  return !log.context.stacks.frames(event.stack).empty();
}

void stack_members(JsonWriter& json, const Log& log, const rules::EventRef& event,
                   std::string_view text) {
  message(json, "message", text);
  json.begin_array("frames");
  for (const symbolize::Frame& frame : log.context.stacks.frames(event.stack)) {
    if (frame.folded) continue;
    json.begin_object();
    json.begin_object("location");
    frame_members(json, log, frame);
    json.end_object();
    if (!frame.module.empty()) json.text("module", escape(symbolize::base_name(frame.module)));
    json.number("threadId", event.tid);
    json.end_object();
  }
  json.end_array();
}

void taxon_members(JsonWriter& json, const Log& log, std::uint16_t cwe) {
  json.text("id", std::to_string(cwe));
  const auto found = std::find(log.cwes.begin(), log.cwes.end(), cwe);
  json.number("index", static_cast<std::uint64_t>(found - log.cwes.begin()));
  json.begin_object("toolComponent");
  json.text("name", "CWE");
  json.number("index", 0);
  json.end_object();
}

}  // namespace umaskaudit::render::sarif
