// The pieces that a SARIF log repeats: messages, addresses of files, locations, stacks.
// Must never be given text that is escaped already: it is escaped here, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/render/causes.h"
#include "reporter/render/formats/sarif.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render::sarif {

inline constexpr char kRoot[] = "SRCROOT";  // uriBaseId of SarifRun::root

// Where the parts of one log come from.
struct Log {
  const TextContext& context;
  const SarifRun& run;
  const std::vector<rules::Finding>& findings;
  std::vector<std::uint16_t> cwes;  // of all rules, ascending: the taxa
};

// The path of a URI: all but unreserved characters (RFC 3986, 2.3) and '/' percent-encoded.
std::string uri_path(std::string_view path);
// SARIF 2.1.0, 3.11.5 and 3.11.6: braces would be placeholders and brackets links.
std::string message_text(std::string_view raw);
// "2026-11-21T21:00:00.123Z" for CLOCK_REALTIME nanoseconds.
std::string iso_time(std::uint64_t real_ns);
// The same for an event's CLOCK_MONOTONIC.
std::string iso_time(const Log& log, std::uint64_t time_ns);

// {"KEY":{"text":...}}; `raw` may hold bytes of the program.
void message(JsonWriter& json, std::string_view key, std::string_view raw);
// "artifactLocation" of a path, relative to the root where it lies below.
void artifact(JsonWriter& json, const Log& log, const std::string& path);
// Members of a location: the frame's source line, or its module and offset; its function.
void frame_members(JsonWriter& json, const Log& log, const symbolize::Frame& frame);
// "stack" or an element of "stacks": nothing when none was recorded.
void stack_members(JsonWriter& json, const Log& log, const rules::EventRef& event,
                   std::string_view text);
bool has_stack(const Log& log, const rules::EventRef& event);
// {"id":"362","index":1,"toolComponent":...}: a reference into the taxonomy.
void taxon_members(JsonWriter& json, const Log& log, std::uint16_t cwe);

// sarif_result.cc: one element of "results".
void result(JsonWriter& json, const Log& log, const CauseGroup& group);
// The same for what only the baseline has.
void absent_result(JsonWriter& json, const rules::KnownFinding& known);

}  // namespace umaskaudit::render::sarif
