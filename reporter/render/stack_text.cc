// Stack text, in the form that users know from the sanitizers.
// Must never look at a file: frames are symbolised already.
// Called as stack_text.h says.
#include "reporter/render/stack_text.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "reporter/render/function_name.h"
#include "reporter/render/own_place.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  const int length =
      std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return {text, static_cast<std::size_t>(length)};
}

std::string module_offset(const symbolize::Frame& frame) {
  if (frame.module.empty()) return "generated code " + hex(frame.offset);
  return escape(frame.module) + '+' + hex(frame.offset);
}

std::string file_line(const symbolize::Frame& frame, const std::string& file) {
  return escape(file) + (frame.line != 0 ? ':' + std::to_string(frame.line) : "") +
         (frame.line_of_other ? " or a file that it reads" : "");
}

std::string script_site(const symbolize::Frame& frame) {
  std::string where = file_line(frame, symbolize::base_name(frame.file));
  if (frame.symbol.empty()) return where.empty() ? '(' + escape(frame.language) + ')' : where;
  return escape(frame.symbol) + ' ' + (where.empty() ? '(' + escape(frame.language) + ')' : where);
}

std::string frame_text(const symbolize::Frame& frame) {
  std::string out;
  if (!frame.symbol.empty())
    out += escape(frame.symbol) + ' ';
  else if (!frame.script || frame.file.empty())
    out += "?? ";
  if (!frame.file.empty()) out += file_line(frame, frame.file) + ' ';
  out += '(' + (frame.script ? escape(frame.language) : module_offset(frame)) + ')';
  return out + (frame.inlined ? " [inlined]" : "");
}

// The same with the names that people use.
std::string short_frame_text(const symbolize::Frame& frame, const std::string& root) {
  const std::string file(root.empty() ? frame.file : path_below(frame.file, root));
  if (frame.script) {
    symbolize::Frame shown = frame;
    shown.file = file;
    return frame_text(shown);
  }
  std::string out = frame.symbol.empty() ? "??" : escape(function_name(frame));
  if (!file.empty()) out += ' ' + file_line(frame, file);
  if (frame.module.empty()) return out + " (" + module_offset(frame) + ')';
  const std::string module = escape(symbolize::base_name(frame.module));
  return out + " (" + (file.empty() ? module + '+' + hex(frame.offset) : module) + ')';
}

// The script's own frames from the culprit on.
std::string starter_lines(const std::vector<symbolize::Frame>& stack, std::size_t indent) {
  constexpr std::size_t kMost = 4;
  std::string out;
  std::size_t lines = 0;
  for (const symbolize::Frame* frame = symbolize::culprit(stack);
       frame < stack.data() + stack.size(); ++frame) {
    if (!frame->script) continue;
    out.append(indent, ' ').append(lines == 0 ? "started by " : "called by  ");
    out += frame_text(*frame) + '\n';
    if (++lines == kMost) break;
  }
  return out;
}

}  // namespace

std::string place_text(analysis::StackCache& stacks, StackRef ref) {
  const std::string where = site(symbolize::culprit(stacks.frames(ref)));
  const std::string starter = starter_text(stacks, ref);
  if (starter.empty()) return where;
  return where + (where.empty() ? "" : ", ") + "started by " + starter;
}

std::string starter_text(analysis::StackCache& stacks, StackRef ref) {
  const auto starters = stacks.starters(ref);
  return starters.empty() ? "" : site(symbolize::culprit(*starters.back()));
}

std::string script_text(analysis::StackCache& stacks, StackRef ref) {
  const std::string starter = starter_text(stacks, ref);
  // Without a runtime no stack has frames of scripts: it need not be looked up.
  if (!starter.empty() || stacks.source().runtimes().empty()) return starter;
  const symbolize::Frame* frame = symbolize::culprit(stacks.frames(ref));
  return frame != nullptr && frame->script ? site(frame) : "";
}

bool misses_script_frames(analysis::StackCache& stacks, StackRef ref) {
  if (stacks.source().runtimes().empty()) return false;
  const std::optional<ScriptStack> script = stacks.source().script(ref);
  return script && script->partial;
}

std::string event_stack_lines(analysis::StackCache& stacks, StackRef ref, std::size_t indent,
                              const std::string& root) {
  const std::vector<symbolize::Frame>& frames = stacks.frames(ref);
  std::string out = stacks.view() == analysis::FrameView::folded
                        ? own_stack_lines(frames, indent, root)
                        : stack_lines(frames, indent);
  if (misses_script_frames(stacks, ref))
    out.append(indent, ' ').append("... frames of the script may be missing\n");
  for (const std::vector<symbolize::Frame>* starter : stacks.starters(ref))
    out += starter_lines(*starter, indent);
  return out;
}

std::string site(const symbolize::Frame* frame) {
  if (frame == nullptr) return "";
  if (frame->script) return script_site(*frame);
  if (frame->symbol.empty() && frame->module.empty()) return module_offset(*frame);
  if (frame->symbol.empty())
    return escape(symbolize::base_name(frame->module)) + '+' + hex(frame->offset);
  if (frame->module.empty()) return escape(function_name(*frame)) + " (generated code)";
  const std::string where = frame->file.empty()
                                ? "(" + escape(symbolize::base_name(frame->module)) + ")"
                                : file_line(*frame, symbolize::base_name(frame->file));
  return escape(function_name(*frame)) + ' ' + where;
}

namespace {

template <typename IsShown, typename Text>
std::string lines_of(const std::vector<symbolize::Frame>& stack, std::size_t indent,
                     const IsShown& is_shown, const Text& text) {
  std::string out;
  std::size_t number = 0;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (!is_shown(i)) continue;
    out.append(indent, ' ').append("#").append(std::to_string(number++)).append(" ");
    out += text(stack[i]) + '\n';
  }
  if (const std::size_t count = stack.size() - number; count != 0)
    out.append(indent, ' ')
        .append("... ")
        .append(std::to_string(count))
        .append(count == 1 ? " library frame (--all-frames)\n"
                           : " library frames (--all-frames)\n");
  return out;
}

}  // namespace

std::string stack_lines(const std::vector<symbolize::Frame>& stack, std::size_t indent) {
  return lines_of(
      stack, indent, [&](std::size_t i) { return !stack[i].folded; }, frame_text);
}

std::string own_stack_lines(const std::vector<symbolize::Frame>& stack, std::size_t indent,
                            const std::string& root) {
  const std::vector<bool> own = symbolize::own_frames(stack);
  return lines_of(
      stack, indent, [&](std::size_t i) { return own[i]; },
      [&](const symbolize::Frame& frame) { return short_frame_text(frame, root); });
}

}  // namespace umaskaudit::render
