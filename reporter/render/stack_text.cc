// Stack text, in the form that users know from the sanitizers.
// Must never look at a file: frames are symbolised already.
// Called as stack_text.h says.
#include "reporter/render/stack_text.h"

#include <cstdio>

#include "reporter/text/escape.h"

namespace umaskaudit {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  const int length =
      std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return {text, static_cast<std::size_t>(length)};
}

bool is_runtime(const std::string& module) {
  static constexpr std::string_view kRuntime[] = {"libumaskaudit.so", "libc.so",   "libc-2.",
                                                  "libpthread",       "ld-linux",  "libstdc++.so",
                                                  "libgcc_s.so",      "libc++.so", "librt"};
  const std::string name = base_name(module);
  for (const std::string_view prefix : kRuntime)
    if (name.compare(0, prefix.size(), prefix) == 0) return true;
  return false;
}

std::string module_offset(const Frame& frame) {
  if (frame.module.empty()) return "generated code " + hex(frame.offset);
  return escape(frame.module) + '+' + hex(frame.offset);
}

std::string file_line(const Frame& frame, const std::string& file) {
  return escape(file) + (frame.line != 0 ? ':' + std::to_string(frame.line) : "");
}

}  // namespace

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const Frame* culprit(const std::vector<Frame>& stack) {
  for (const Frame& frame : stack)
    if (!is_runtime(frame.module)) return &frame;
  return stack.empty() ? nullptr : &stack.front();
}

std::string site(const Frame* frame) {
  if (frame == nullptr) return "";
  if (frame->symbol.empty() && frame->module.empty()) return module_offset(*frame);
  if (frame->symbol.empty()) return escape(base_name(frame->module)) + '+' + hex(frame->offset);
  const std::string where = frame->file.empty() ? "(" + escape(base_name(frame->module)) + ")"
                                                : file_line(*frame, base_name(frame->file));
  return escape(frame->symbol) + ' ' + where;
}

std::string stack_lines(const std::vector<Frame>& stack, std::size_t indent) {
  std::string out;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    out.append(indent, ' ').append("#").append(std::to_string(i)).append(" ");
    out += frame.symbol.empty() ? "??" : escape(frame.symbol);
    if (!frame.file.empty()) out += ' ' + file_line(frame, frame.file);
    out += " (" + module_offset(frame) + ")";
    if (frame.inlined) out += " [inlined]";
    out += '\n';
  }
  return out;
}

}  // namespace umaskaudit
