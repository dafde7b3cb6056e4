// Names that survive another build, another load address and another host.
#include "reporter/analysis/symbol_chain.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "reporter/symbolize/culprit.h"

namespace umaskaudit {
namespace {

// Enough to tell two callers of one helper apart; further out, stacks differ by how a test was
// started.
constexpr std::size_t kFrames = 4;

// GCC and LLVM name clones of a function by suffixes that come and go with optimisation.
std::string without_clone(const std::string& symbol) {
  static constexpr std::string_view kSuffixes[] = {".constprop.", ".isra.",     ".part.",  ".cold",
                                                   ".llvm.",      ".lto_priv.", " [clone "};
  std::size_t end = symbol.size();
  for (const std::string_view suffix : kSuffixes) end = std::min(end, symbol.find(suffix));
  return symbol.substr(0, end);
}

bool is_entry(const std::string& symbol) {
  return symbol == "main" || symbol == "start_thread" || symbol == "_start";
}

// "app.py!set_mask", "build.sh": of a script the line changes with each edit, and what runs it with
// how warm it is.
std::string script_name(const Frame& frame) {
  const std::string file = frame.file.empty() ? frame.language : base_name(frame.file);
  return frame.symbol.empty() ? file : file + '!' + frame.symbol;
}

std::string frame_name(const Frame& frame) {
  if (frame.script) return script_name(frame);
  std::string name = base_name(frame.module) + '!';
  if (!frame.symbol.empty()) return name + without_clone(frame.symbol);
  std::array<char, 24> offset{};
  std::snprintf(offset.data(), offset.size(), "+0x%llx",
                static_cast<unsigned long long>(frame.offset));
  return name + offset.data();
}

// The innermost frame that is the program's own; null where there is none.
const Frame* innermost_frame(const std::vector<Frame>& stack) {
  const Frame* first = culprit(stack);
  if (first == nullptr || first->script) return first;
  const Frame* kept = nullptr;
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    if (frame.module.empty() || is_interpreter(frame.module)) continue;
    if (!is_standard_library(frame)) return &frame;
    if (kept == nullptr) kept = &frame;
  }
  return kept;
}

}  // namespace

std::string innermost_symbol(const std::vector<Frame>& stack) {
  const Frame* frame = innermost_frame(stack);
  return frame == nullptr ? "" : frame_name(*frame);
}

std::string place_of(const std::vector<Frame>& stack) {
  const Frame* frame = innermost_frame(stack);
  if (frame == nullptr) return "";
  return frame->symbol.empty() && !frame->script ? base_name(frame->module) : frame_name(*frame);
}

std::string symbol_chain(const std::vector<Frame>& stack) {
  const Frame* first = innermost_code(stack);
  if (first == nullptr) return "";
  std::string out;
  std::size_t taken = 0;
  // Programs and libraries that run other people's code are left out, and so is generated code,
  // which has no module: what is on the stack inside them says how warm a cache was, or what a
  // compiler has done so far, not what called. Among the frames of a script all native ones are.
  const auto counts = [&](const Frame& frame) {
    if (first->script) return frame.script && is_library(frame) == is_library(*first);
    return !frame.module.empty() && !is_interpreter(frame.module);
  };
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    if (!counts(stack[i])) continue;
    if (!out.empty()) out += '<';
    out += frame_name(stack[i]);
    if (++taken == kFrames || is_entry(stack[i].symbol)) break;
  }
  return out;
}

std::vector<std::string> names_on(const std::vector<Frame>& stack) {
  std::vector<std::string> names;
  for (const Frame& frame : stack) {
    if (!frame.symbol.empty()) names.push_back(frame.symbol);
    if (frame.script && !frame.file.empty()) names.push_back(base_name(frame.file));
    if (!frame.module.empty()) names.push_back(base_name(frame.module));
  }
  return names;
}

}  // namespace umaskaudit
