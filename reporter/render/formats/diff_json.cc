#include "reporter/render/formats/diff_json.h"

#include "reporter/render/formats/jsonl.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {
namespace {

void masks(JsonWriter& json, const char* key, const std::set<Mode>& all) {
  json.begin_array(key);
  for (const Mode mask : all) json.element(std::string_view(octal(mask)));
  json.end_array();
}

void side(JsonWriter& json, const char* key, const DiffSide& side) {
  json.begin_object(key);
  json.bytes("run", side.directory);
  json.bytes("program", side.program);
  masks(json, "inherited", {side.facts.inherited.begin(), side.facts.inherited.end()});
  json.begin_object("read_as_same");
  json.bytes("root", side.names.root());
  json.number("below_root", side.names.below_root());
  json.number("temp", side.names.temporary());
  json.number("pid", side.names.with_pid());
  json.number("same", side.names.same());
  json.end_object();
  json.end_object();
}

void outcomes(JsonWriter& json, const char* key, const std::vector<analysis::Outcome>& all,
              const DiffSide& side) {
  json.begin_array(key);
  for (const analysis::Outcome& one : all) {
    const CreateEvent& made = one.example.creation;
    json.begin_object();
    json.bytes("path", one.example.path);
    json.text("kind", kind_name(one.kind));
    json.bytes("call", made.call);
    json.mode("requested", without_type(made.requested));
    json.mode("mask", made.mask);
    json.text("mask_from", side.mask_origin(made));
    json.mode("mode", one.mode);
    if (!one.example.settled_by.empty()) json.bytes("settled_by", one.example.settled_by);
    json.number("count", one.count);
    json.end_object();
  }
  json.end_array();
}

const char* state(const analysis::ObjectDifference& one) {
  if (one.only_a) return "only-a";
  return one.only_b ? "only-b" : "mode";
}

void object(JsonWriter& json, const analysis::ObjectDifference& one, const DiffSide& a,
            const DiffSide& b) {
  json.begin_object();
  json.bytes("name", one.name);
  json.text("difference", state(one));
  json.begin_array("steps");
  for (const analysis::StepDifference& step : one.steps) {
    json.begin_object();
    json.text("step", step.step);
    json.bytes("a", step.a);
    json.bytes("b", step.b);
    json.end_object();
  }
  json.end_array();
  outcomes(json, "a", one.a, a);
  outcomes(json, "b", one.b, b);
  json.end_object();
}

}  // namespace

std::string diff_json(const analysis::RunDiff& diff, const DiffSide& a, const DiffSide& b) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", kJsonSchema);
  json.boolean("same", !diff.any());
  side(json, "a", a);
  side(json, "b", b);
  json.number("alike", diff.same);
  json.boolean("inherited_differs", diff.inherited);
  json.begin_array("objects");
  for (const analysis::ObjectDifference& one : diff.objects) object(json, one, a, b);
  json.end_array();
  json.begin_array("mask_changes");
  for (const analysis::SiteDifference& one : diff.sites) {
    const analysis::MaskSite& site = one.a != nullptr ? *one.a : *one.b;
    json.begin_object();
    json.text("where", site.where);
    json.bytes("call", site.call);
    masks(json, "a", one.a != nullptr ? one.a->masks : std::set<Mode>());
    masks(json, "b", one.b != nullptr ? one.b->masks : std::set<Mode>());
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out += '\n';
}

}  // namespace umaskaudit::render
