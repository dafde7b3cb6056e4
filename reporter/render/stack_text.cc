// Stack text, in the form that users know from the sanitizers.
// Must never look at a file: frames are symbolised already.
// Called as stack_text.h says.
#include "reporter/render/stack_text.h"

#include <cstdio>

#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"

namespace umaskaudit {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  const int length =
      std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return {text, static_cast<std::size_t>(length)};
}

std::string module_offset(const Frame& frame) {
  if (frame.module.empty()) return "generated code " + hex(frame.offset);
  return escape(frame.module) + '+' + hex(frame.offset);
}

std::string file_line(const Frame& frame, const std::string& file) {
  return escape(file) + (frame.line != 0 ? ':' + std::to_string(frame.line) : "");
}

}  // namespace

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
