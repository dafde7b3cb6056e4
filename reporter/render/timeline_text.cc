// Lines of timeline_text.h.
// Must never align by looking at all events: widths are fixed, long names push the line.
// Called by `timeline`, `blame` and the live commands.
#include "reporter/render/timeline_text.h"

#include <cstring>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/text_report.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kTimeWidth = 12;
constexpr std::size_t kContextWidth = 4;
constexpr std::size_t kThreadWidth = 22;
constexpr std::size_t kMaskWidth = 12;

std::string padded(std::string text, std::size_t width, bool right = false) {
  const std::size_t has = display_width(text);
  if (has >= width) return text;
  return right ? std::string(width - has, ' ') + text : text.append(width - has, ' ');
}

std::string failure(std::int32_t error) {
  return error == 0 ? "" : std::string(": ") + std::strerror(error);
}

struct Mask {
  std::string text;
  Style style = Style::plain;
};

struct MaskOf {
  Mask operator()(const ProcessEvent& e) const { return {octal(e.mask), mask_style(e.mask)}; }
  Mask operator()(const UmaskEvent& e) const {
    return {octal(e.old_mask) + "->" + octal(e.new_mask), mask_style(e.new_mask)};
  }
  Mask operator()(const CreateEvent& e) const {
    return {octal(e.mask) + (e.ambiguous_masks.empty() ? "" : "?"), mask_style(e.mask)};
  }
  Mask operator()(const EventBase&) const { return {}; }
};

struct What {
  std::string operator()(const ProcessEvent& e) const {
    const std::string_view name = e.exe.empty() ? e.comm : e.exe;
    return "process " + escape(name) + " (" + origin_name(e.origin) + ")";
  }
  std::string operator()(const UmaskEvent& e) const {
    std::string text = "umask " + octal(e.argument);
    if (e.drift) {
      text += e.drift_set_by ? ", a process that shares it had set "
                             : ", code that was not seen had set ";
      text += octal(e.old_mask) + " instead of " + octal(e.cached);
    }
    if (e.folded.count > 1) text += " (" + std::to_string(e.folded.count) + " times)";
    return text;
  }
  std::string operator()(const CreateEvent& e) const {
    const std::string call = escape(e.call) + ' ';
    if (e.error != 0) return call + "failed " + escape(e.path) + failure(e.error);
    if (e.created == trace::Created::no) {
      const std::string times = e.count > 1 ? " (" + std::to_string(e.count) + " times)" : "";
      return call + "opened " + escape(e.path) + times;
    }
    const char* verb = e.created == trace::Created::unknown ? "perhaps created " : "created ";
    const std::string result = e.final_mode ? derivation_line(e) : octal(without_type(e.requested));
    return call + verb + kind_name(e.kind) + ' ' + escape(e.path) + ' ' + result;
  }
  std::string operator()(const ChmodEvent& e) const {
    std::string text = escape(e.call) + ' ' + octal(without_type(e.requested));
    if (e.acl != 0) text = escape(e.call) + (e.acl == 2 ? " default ACL" : " ACL");
    if (!e.path.empty()) text += ' ' + escape(e.path);
    if (e.final_mode && e.error == 0) text += " = " + octal(*e.final_mode);
    return text + failure(e.error);
  }
  std::string operator()(const RenameEvent& e) const {
    const std::string call = escape(e.call) + ' ' + escape(e.from);
    const char* how = e.exchange ? " exchanged with " : " to ";
    return call + (e.to.empty() ? "" : how + escape(e.to)) + failure(e.error);
  }
  std::string operator()(const BlindSpotEvent& e) const {
    return std::string("not seen: ") + blind_name(e.reason) + ' ' + escape(e.text);
  }
  std::string operator()(const LossEvent& e) const {
    return "lost: " + escape(e.reason) + ' ' + std::to_string(e.count);
  }
  std::string operator()(const NoteEvent& e) const { return "note: " + escape(e.text); }
  std::string operator()(const ForkEvent& e) const {
    return std::string(origin_name(e.origin)) + " child " + std::to_string(e.child);
  }
  std::string operator()(const ExecEvent& e) const {
    return "exec " + escape(e.path) + failure(e.error);
  }
  std::string operator()(const ThreadCreateEvent& e) const {
    return "thread " + (e.created_tid == 0 ? "" : std::to_string(e.created_tid) + ' ') + "created";
  }
};

}  // namespace

bool is_listed(const Event& event) {
  if (const auto* create = std::get_if<CreateEvent>(&event))
    return create->error == 0 && create->created != trace::Created::no;
  return !std::holds_alternative<RenameEvent>(event) &&
         !std::holds_alternative<ThreadCreateEvent>(event);
}

std::string event_text(const Event& event) { return std::visit(What{}, event); }

std::string refusal_text(const Refusal& refusal) {
  constexpr Mode kEnter = 01, kWrite = 02;
  const auto may = [&](unsigned shift, Mode bit) { return (refusal.mode >> shift & bit) != 0; };
  const bool all_enter = may(6, kEnter) && may(3, kEnter) && may(0, kEnter);
  const Mode bit = all_enter ? kWrite : kEnter;
  const bool owner = may(6, bit), group = may(3, bit), others = may(0, bit);
  std::string who = "its owner may not";
  if (!owner && !group && !others)
    who = "not even its owner may";
  else if (!owner && !others)
    who = "only its group may";
  else if (owner && others)
    who = "its group may not";
  else if (owner)
    who = group ? "only its owner and its group may" : "only its owner may";
  std::string text = "'" + escape(refusal.directory) + "' is " + octal(refusal.mode);
  if (!refusal.changed_by.empty())
    text += " since " + escape(refusal.changed_by);
  else if (refusal.born_mask != 0)
    text += ", made under umask " + octal(refusal.born_mask);
  return text + ": " + who + (all_enter ? " write into it" : " enter it");
}

std::string timeline_titles(const TimelineStyle& style) {
  return style.paint(Style::strong, padded("TIME", kTimeWidth, true) + "  " +
                                        padded("FS", kContextWidth, true) + "  " +
                                        padded("THREAD", kThreadWidth) + "  " +
                                        padded("MASK", kMaskWidth) + "  EVENT") +
         '\n';
}

void append_timeline(std::string& out, const Event& event, analysis::StackCache& stacks,
                     const TimelineStyle& style, const std::string& reason) {
  const EventBase& base =
      std::visit([](const auto& one) -> const EventBase& { return one; }, event);
  const Mask mask = std::visit(MaskOf{}, event);
  const std::size_t gap = kMaskWidth - std::min(kMaskWidth, mask.text.size());
  out += padded(offset_text(base.time_ns, style.begin_ns), kTimeWidth, true) + "  ";
  out += padded(base.fs == 0 ? "" : std::to_string(base.fs), kContextWidth, true) + "  ";
  out += padded(base.tid == 0 ? "" : thread_text(base.thread, base.tid), kThreadWidth) + "  ";
  out += style.paint(mask.style, mask.text) + std::string(gap, ' ') + "  ";
  out += event_text(event);
  if (!reason.empty()) out += ": " + reason;
  const std::string where = style.where ? place_text(stacks, base.stack) : "";
  if (!where.empty()) out += style.paint(Style::dim, "  at " + where);
  out += '\n';
}

void append_refused(std::string& out, const TextContext& context,
                    const analysis::Summary& summary) {
  if (summary.refused.empty()) return;
  out += context.paint(Style::strong, "Creations that failed") + '\n';
  std::uint64_t shown = 0;
  for (const analysis::FailedCreation& one : summary.refused) {
    const CreateEvent& event = one.event;
    shown += one.count;
    std::string line = escape(event.call) + ' ' + octal(without_type(event.requested)) + ' ' +
                       escape(event.path) + ": " + std::strerror(event.error);
    if (one.count > 1) line += ", " + std::to_string(one.count) + " times";
    append_wrapped(out, line + ", by " + thread_text(event.thread, event.tid), 2, 6, context.width);
    if (one.refusal) append_wrapped(out, refusal_text(*one.refusal), 6, 6, context.width);
  }
  if (shown < summary.refused_count)
    out += "  ... and " + std::to_string(summary.refused_count - shown) + " more\n";
  out += '\n';
}

}  // namespace umaskaudit::render
