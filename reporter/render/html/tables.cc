#include "reporter/render/html/tables.h"

#include "reporter/events/events.h"
#include "reporter/mode/access.h"
#include "reporter/mode/bit_table.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render::html {
namespace {

const char* certainty(trace::Created created) {
  switch (created) {
    case trace::Created::no:
      return "no";
    case trace::Created::yes:
      return "yes";
    case trace::Created::probably:
      return "probably";
    case trace::Created::unknown:
      return "unknown";
  }
  return "unknown";
}

// Equal keys, equal shapes: every fact that write_shape() reads.
std::string shape_key(const CreateEvent& event, const FinalStates::State& last) {
  std::string key(event.call);
  const auto add = [&key](std::uint64_t value) { (key += '/') += std::to_string(value); };
  add(static_cast<std::uint64_t>(event.kind));
  add(static_cast<std::uint64_t>(event.created));
  add(event.requested);
  add(event.mask);
  add(event.final_mode ? *event.final_mode : ~0u);
  add(static_cast<std::uint64_t>(last.state));
  add(last.changed ? *last.mode : ~0u);
  for (const Mode mask : event.ambiguous_masks) add(mask);
  for (const Step& step : event.steps) {
    add(static_cast<std::uint64_t>(step.rule));
    add(std::uint64_t{step.sets} << 24 | std::uint64_t{step.clears} << 12 | step.mode);
  }
  if (!event.parent) return key;
  add(event.parent->fs_type);
  if (const auto& acl = event.parent->acl) {
    add(acl_allows(*acl));
    add(acl->mask ? *acl->mask : 8);
  }
  return key;
}

void write_steps(JsonWriter& json, const CreateEvent& event, const CreationFacts& facts) {
  const Derivation derivation{event.steps, event.mask, !event.ambiguous_masks.empty()};
  json.begin_array("rows");
  for (const BitRow& row : bit_rows(facts, derivation)) {
    json.begin_array();
    json.element(std::string_view(row.name));
    json.element(std::uint64_t{row.bits});
    json.end_array();
  }
  json.end_array();
  json.begin_array("steps");
  for (const Step& step : event.steps) {
    json.begin_array();
    json.element(std::string_view(rule_name(step.rule)));
    json.element(std::uint64_t{step.sets});
    json.element(std::uint64_t{step.clears});
    json.element(std::uint64_t{step.mode});
    json.element(std::string_view(step_reason(step, facts)));
    json.end_array();
  }
  json.end_array();
  const bool acl_mask = facts.parent && facts.parent->acl && facts.parent->acl->mask &&
                        find_step(derivation, Rule::default_acl) != nullptr;
  json.text("may", who_may(event.steps.back().mode, event.kind == trace::Kind::dir, acl_mask));
  json.text("line", derivation_line(event));
}

void write_shape(std::string& out, const CreateEvent& event, const FinalStates::State& last) {
  JsonWriter json(out);
  json.begin_object();
  json.text("call", escape(event.call));
  json.text("kind", kind_name(event.kind));
  json.number("requested", without_type(event.requested));
  json.number("mask", event.mask);
  if (event.final_mode)
    json.number("final", *event.final_mode);
  else
    json.null("final");
  // The mode and the state at the end, where they are not those of the birth.
  if (last.changed) json.number("now", *last.mode);
  if (last.state != ObjectState::there) json.text("state", state_name(last.state));
  json.text("created", certainty(event.created));
  if (!event.ambiguous_masks.empty()) {
    json.begin_array("ambiguous");
    for (const Mode mask : event.ambiguous_masks) json.element(std::uint64_t{mask});
    json.end_array();
  }
  if (!event.steps.empty()) write_steps(json, event, facts_of(event));
  json.end_object();
}

}  // namespace

std::uint64_t Tables::text(std::string_view bytes) {
  return texts_.number(
      bytes, [&](std::string& rows) { JsonWriter(rows).element(std::string_view(escape(bytes))); });
}

std::uint64_t Tables::who(std::uint32_t pid, std::uint32_t tid, std::uint32_t fs,
                          std::string_view thread) {
  std::string key = std::to_string(pid) + '/' + std::to_string(tid) + '/' + std::to_string(fs);
  (key += '/') += thread;
  return who_.number(key, [&](std::string& rows) {
    JsonWriter json(rows);
    json.begin_array();
    json.element(std::uint64_t{pid});
    json.element(std::uint64_t{tid});
    json.element(std::string_view(escape(thread)));
    json.element(std::uint64_t{fs});
    json.end_array();
  });
}

std::uint64_t Tables::who(const EventBase& event) {
  return who(event.pid, event.tid, event.fs, event.thread);
}

std::uint64_t Tables::who(const rules::EventRef& event) {
  return who(event.pid, event.tid, event.fs, event.thread);
}

std::uint64_t Tables::frame(const symbolize::Frame& frame, bool folded) {
  const std::uint64_t module = text(frame.module), file = text(frame.file);
  std::string key = std::to_string(module) + '/' + std::to_string(file) + '/' +
                    std::to_string(frame.offset) + '/' + std::to_string(frame.line);
  key += frame.inlined ? 'i' : ' ';
  key += folded ? 'f' : ' ';
  (key += frame.script ? 's' : ' ') += frame.symbol;
  const std::uint64_t language = frame.script ? text(frame.language) : 0;
  return frames_.number(key, [&](std::string& rows) {
    JsonWriter json(rows);
    json.begin_array();
    json.element(std::string_view(escape(frame.symbol)));
    json.element(file);
    json.element(std::uint64_t{frame.line});
    json.element(module);
    json.element(frame.offset);
    json.element(std::uint64_t{frame.inlined} | std::uint64_t{folded} << 1);
    if (frame.script) json.element(language);
    json.end_array();
  });
}

std::uint64_t Tables::stack(StackRef ref) {
  if (ref.id == 0) return 0;
  const auto [entry, fresh] =
      stack_numbers_.try_emplace(analysis::StackCache::key(ref), stack_numbers_.size() + 1);
  if (!fresh) return entry->second;
  const std::vector<symbolize::Frame>& frames = stacks_.frames(ref);
  const symbolize::Frame* at = symbolize::culprit(frames);
  stack_rows_ += ",\n";
  JsonWriter json(stack_rows_);
  json.begin_object();
  json.text("site", site(at));
  json.integer("at", at == nullptr ? -1 : at - frames.data());
  json.begin_array("frames");
  const bool own_alone = stacks_.view() == analysis::FrameView::folded;
  const std::vector<bool> own = symbolize::own_frames(frames);
  for (std::size_t i = 0; i < frames.size(); ++i)
    json.element(frame(frames[i], own_alone ? !own[i] : frames[i].folded));
  json.end_array();
  if (run_.stack_truncated(ref)) json.boolean("cut", true);
  if (misses_script_frames(stacks_, ref)) json.boolean("partial", true);
  if (const auto starters = stacks_.starters(ref); !starters.empty())
    json.text("started", site(symbolize::culprit(*starters.back())));
  json.end_object();
  return entry->second;
}

std::uint64_t Tables::shape(const CreateEvent& event, const FinalStates::State& last) {
  return shapes_.number(shape_key(event, last),
                        [&](std::string& rows) { write_shape(rows, event, last); });
}

void Tables::write(JsonWriter& json) const {
  const auto array = [&json](std::string_view key, std::string_view rows) {
    json.begin_array(key);
    json.raw(rows);
    json.end_array();
  };
  array("texts", texts_.rows());
  array("who", who_.rows());
  array("frames", frames_.rows());
  array("stacks", R"({"site":"","at":-1,"frames":[]})" + stack_rows_);
  array("shapes", shapes_.rows());
}

}  // namespace umaskaudit::render::html
