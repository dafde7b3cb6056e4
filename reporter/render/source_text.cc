// Where the mark goes is found in the text: line tables name no columns that people would expect.
#include "reporter/render/source_text.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "reporter/render/function_name.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t kLeastText = 24;  // columns of the line itself, however narrow the screen
constexpr std::size_t kUsualWidth = 100;
constexpr std::size_t kBefore = 12;  // columns kept before a mark that would be off the screen
constexpr std::string_view kCut = "...";

struct Mark {
  std::size_t begin = 0, end = 0;  // bytes of the line
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The bracket that closes the one at `at`; without one on the line, the end of the line.
std::size_t end_of_call(std::string_view line, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < line.size(); ++i) {
    if (line[i] == '(') ++depth;
    if (line[i] == ')' && --depth == 0) return i + 1;
  }
  return line.size();
}

// `name(...)`, or `name` as a word of a shell's command: with a blank on either side.
bool find_call(std::string_view line, std::string_view name, Mark& mark) {
  if (name.empty()) return false;
  for (std::size_t at = 0; (at = line.find(name, at)) != npos; ++at) {
    const std::size_t end = at + name.size();
    if ((at > 0 && is_word(line[at - 1])) || (end < line.size() && is_word(line[end]))) continue;
    const std::size_t open = line.find_first_not_of(' ', end);
    const bool call = open != npos && line[open] == '(';
    const bool word = (at == 0 || std::string_view(" \t;&|(`").find(line[at - 1]) != npos) &&
                      (end == line.size() || line[end] == ' ');
    if (!call && !word) continue;
    mark = {at, call ? end_of_call(line, open) : end};
    return true;
  }
  return false;
}

// The last part of a name: "create_directory" of "std::filesystem::create_directory".
std::string last_part(const std::string& name) {
  const std::string all = name.substr(0, name.find('<'));
  return all.substr(all.find_last_of(":.") + 1);
}

Mark mark_of(const std::vector<symbolize::Frame>& frames, const symbolize::Frame& frame,
             std::string_view call, std::string_view line) {
  Mark mark;
  if (find_call(line, call, mark)) return mark;
  if (call.ends_with("64") && find_call(line, call.substr(0, call.size() - 2), mark)) return mark;
  // What this frame called is the frame before it; the innermost of them says most.
  for (const symbolize::Frame* callee = &frame; callee != frames.data(); --callee)
    if (find_call(line, last_part(function_name(callee[-1])), mark)) return mark;
  const std::size_t end = line.find_last_not_of(" \t;") + 1;
  return {0, end};
}

// `text` in at most `columns`; what is missing on the right is marked.
std::string cut_right(const std::string& text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::size_t end = 0, used = 0;
  while (end < text.size()) {
    const CodePoint next = decode_utf8(std::string_view(text).substr(end));
    const std::size_t length = next.length == 0 ? 1 : next.length;
    const std::size_t wide = display_width(std::string_view(text).substr(end, length));
    if (used + wide + kCut.size() > columns) break;
    used += wide;
    end += length;
  }
  return text.substr(0, end).append(kCut);
}

// The same on the left: the last `columns`.
std::string cut_left(const std::string& text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::size_t begin = 0, rest = display_width(text);
  while (begin < text.size() && rest + kCut.size() > columns) {
    const CodePoint next = decode_utf8(std::string_view(text).substr(begin));
    const std::size_t length = next.length == 0 ? 1 : next.length;
    rest -= display_width(std::string_view(text).substr(begin, length));
    begin += length;
  }
  return std::string(kCut) + text.substr(begin);
}

}  // namespace

std::string source_text(analysis::StackCache& stacks, StackRef ref, std::uint64_t real_ns,
                        std::string_view call, const std::string& label, std::size_t indent,
                        std::size_t width) {
  const std::vector<symbolize::Frame>& frames = stacks.frames(ref);
  const symbolize::Frame* frame = symbolize::culprit(frames);
  if (frame == nullptr) return "";
  const symbolize::SourceLine& source = stacks.line_of(*frame);
  if (source.state == symbolize::SourceLine::State::unknown) return "";
  const std::string place =
      escape(symbolize::base_name(frame->file)) + ':' + std::to_string(frame->line);
  std::string out(indent, ' ');
  out += place + " | ";
  if (source.state == symbolize::SourceLine::State::changed)
    return out + "[source changed since the run]\n";
  if (source.written_real_ns > real_ns) return out + "[source changed later in the run]\n";
  std::string_view line = source.text;
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const Mark mark = mark_of(frames, *frame, call, line);
  const std::size_t margin = indent + display_width(place) + 3;
  const std::size_t all = width == 0 ? kUsualWidth : width;
  const std::size_t room = all > margin + kLeastText ? all - margin : kLeastText;
  std::string before = escape(line.substr(0, mark.begin));
  const std::string marked = escape(line.substr(mark.begin, mark.end - mark.begin));
  if (display_width(before) + std::min(display_width(marked), room / 2) > room)
    before = cut_left(before, kBefore);
  const std::size_t column = display_width(before);
  out += cut_right(before + marked + escape(line.substr(mark.end)), room) + '\n';
  const std::size_t seen = std::min(display_width(marked), room > column ? room - column : 0);
  out.append(indent, ' ').append(display_width(place), ' ').append(" | ").append(column, ' ');
  out += '^';
  if (seen > 1) out.append(seen - 1, '~');
  if (!label.empty() && column + std::max<std::size_t>(seen, 1) + 1 + label.size() <= room)
    out += ' ' + label;
  return out + '\n';
}

}  // namespace umaskaudit::render
