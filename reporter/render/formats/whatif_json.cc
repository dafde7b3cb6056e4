#include "reporter/render/formats/whatif_json.h"

#include "reporter/mode/access.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {
namespace {

void access_members(JsonWriter& json, const char* key, Mode bits) {
  json.begin_object(key);
  for (const UserClass& who : kUserClasses)
    if ((bits >> who.shift & 7) != 0) json.text(who.name, letters(bits >> who.shift & 7));
  json.end_object();
}

void object_members(JsonWriter& json, const analysis::FinalObject& object) {
  json.bytes("path", object.path);
  json.text("kind", kind_name(object.creation.kind));
  json.bytes("call", object.creation.call);
  json.number("pid", object.creation.pid);
  json.number("seq", object.creation.seq);
  json.number("times", object.times);
  json.boolean("removed", object.removed);
  json.mode("requested", without_type(object.creation.requested));
  json.mode("mask", object.creation.mask);
  json.mode("mode", object.mode);
}

}  // namespace

std::string whatif_json(const TextContext& context, const analysis::WhatIf& whatif) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", kJsonSchema);
  json.bytes("run", context.run.directory());
  json.mode("umask", whatif.mask);
  json.boolean("everywhere", whatif.everywhere);
  json.begin_array("inherited");
  for (const Mode mask : whatif.inherited) json.element(std::string_view(octal(mask)));
  json.end_array();
  json.begin_object("counts");
  json.number("objects", whatif.objects);
  json.number("changed", whatif.changed.size());
  json.number("own_mask", whatif.own_mask);
  json.number("default_acl", whatif.acl);
  json.number("chmod", whatif.settled);
  json.number("same", whatif.same);
  json.number("unpredictable", whatif.unpredictable.size());
  json.end_object();
  json.begin_array("changed");
  for (const analysis::WhatIfObject& one : whatif.changed) {
    json.begin_object();
    object_members(json, one.object);
    json.mode("mask_then", one.mask);
    json.mode("mode_then", one.mode);
    json.text("change", access_change(one.object.mode, one.mode));
    access_members(json, "loses", one.object.mode & ~one.mode);
    access_members(json, "gains", one.mode & ~one.object.mode);
    json.end_object();
  }
  json.end_array();
  json.begin_array("unpredictable");
  for (const analysis::FinalObject& object : whatif.unpredictable) {
    json.begin_object();
    object_members(json, object);
    json.text("because", rule_name(object.creation.steps.back().rule));
    json.end_object();
  }
  json.end_array();
  json.boolean("complete", context.run.completeness().losses.empty());
  json.end_object();
  return out += '\n';
}

}  // namespace umaskaudit::render
