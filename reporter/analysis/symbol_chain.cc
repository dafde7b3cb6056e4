// Names that survive another build, another load address and another host.
#include "reporter/analysis/symbol_chain.h"

#include <algorithm>
#include <array>
#include <cctype>
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

// Programs and libraries that run somebody else's code. What is on the stack inside them says how
// warm a cache was, or what a compiler has done so far, not what called.
bool is_interpreter(const std::string& module) {
  static constexpr std::string_view kNames[] = {
      "python", "libpython", "pypy", "node",    "libnode", "php",    "libphp",
      "ruby",   "libruby",   "perl", "libperl", "java",    "libjvm", "lua",
      "liblua", "dash",      "bash", "zsh",     "ksh",     "mksh",   "busybox"};
  const std::string name = base_name(module);
  if (name == "sh") return true;
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view known) {
    if (!name.starts_with(known)) return false;
    // "python3.11", "libpython3.11.so.1.0", "php-fpm8.2", "nodejs"; not "pythonic" or "rubygem.so".
    const std::string_view rest = std::string_view(name).substr(known.size());
    return rest.empty() || !std::isalpha(static_cast<unsigned char>(rest.front())) || rest == "js";
  });
}

bool is_standard(const std::string& symbol) {
  static constexpr std::string_view kPrefixes[] = {
      "std::", "<std::", "core::", "<core::", "alloc::", "<alloc::", "__gnu_cxx::"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return symbol.starts_with(prefix); });
}

std::string frame_name(const Frame& frame) {
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
  if (first == nullptr) return nullptr;
  const Frame* kept = nullptr;
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    if (frame.module.empty() || is_interpreter(frame.module)) continue;
    if (!is_standard(frame.symbol)) return &frame;
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
  return frame->symbol.empty() ? base_name(frame->module) : frame_name(*frame);
}

std::string symbol_chain(const std::vector<Frame>& stack) {
  const Frame* first = culprit(stack);
  if (first == nullptr) return "";
  std::string out;
  std::size_t taken = 0;
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    // Generated code has no module.
    if (stack[i].module.empty() || is_interpreter(stack[i].module)) continue;
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
    if (!frame.module.empty()) names.push_back(base_name(frame.module));
  }
  return names;
}

}  // namespace umaskaudit
