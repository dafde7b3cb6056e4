// Names code independently of build, load address and host; see symbol_chain.h.
#include "reporter/analysis/symbol_chain.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "reporter/symbolize/culprit.h"

namespace umaskaudit::analysis {
namespace {

// Enough frames to distinguish two callers of one helper; further out, stacks differ by how a test
// was started.
constexpr std::size_t kFrames = 4;

// GCC and LLVM name clones of a function by suffixes, which depend on optimisation.
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

// "app.py!set_mask", "build.sh": a script's lines change with each edit, and its interpreter's
// frames with caching.
std::string script_name(const symbolize::Frame& frame) {
  const std::string file = frame.file.empty() ? frame.language : symbolize::base_name(frame.file);
  return frame.symbol.empty() ? file : file + '!' + frame.symbol;
}

std::string frame_name(const symbolize::Frame& frame) {
  if (frame.script) return script_name(frame);
  std::string name = symbolize::base_name(frame.module) + '!';
  if (!frame.symbol.empty()) return name + without_clone(frame.symbol);
  std::array<char, 24> offset{};
  std::snprintf(offset.data(), offset.size(), "+0x%llx",
                static_cast<unsigned long long>(frame.offset));
  return name + offset.data();
}

// The innermost frame of the program's own code; null if there is none.
const symbolize::Frame* innermost_frame(const std::vector<symbolize::Frame>& stack) {
  const symbolize::Frame* first = symbolize::culprit(stack);
  if (first == nullptr || first->script) return first;
  const symbolize::Frame* kept = nullptr;
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    const symbolize::Frame& frame = stack[i];
    if (frame.module.empty() || symbolize::is_interpreter(frame.module)) continue;
    if (!symbolize::is_standard_library(frame)) return &frame;
    if (kept == nullptr) kept = &frame;
  }
  return kept;
}

enum class NamedBy : std::uint8_t { function, source_function, machine_code };

// The begin of the part of a name that ends before `end`: "main::" in "Invoker<main::", "f(int)::"
// in "tuple<f(int)::".
std::size_t begin_of_name(std::string_view text, std::size_t end) {
  int depth = 0;
  std::size_t at = end;
  for (; at > 0; --at) {
    const char c = text[at - 1];
    if (c == ')' || c == '>' || c == ']' || c == '}') ++depth;
    const bool opens = c == '(' || c == '<' || c == '[' || c == '{';
    if (depth == 0 && (opens || c == ',' || c == ' ' || c == '*' || c == '&')) break;
    if (opens) --depth;
  }
  return at;
}

// "main::{lambda()#1}", the first that a name of std:: was instantiated for; empty if there is
// none.
std::string lambda_in(const std::string& symbol) {
  const std::size_t at = symbol.find("{lambda(");
  if (at == std::string::npos) return "";
  const std::size_t end = symbol.find('}', at);
  if (end == std::string::npos) return "";
  const std::size_t begin = begin_of_name(symbol, at);
  return symbol.substr(begin, end + 1 - begin);
}

// The name of a frame's code; empty: it is not the program's own.
std::string own_name(const symbolize::Frame& frame) {
  if (frame.module.empty() || symbolize::is_interpreter(frame.module) ||
      symbolize::is_c_runtime(frame.module))
    return "";
  std::string module = symbolize::base_name(frame.module);
  // The version of a library differs between hosts.
  if (const std::size_t so = module.find(".so."); so != std::string::npos) module.resize(so + 3);
  if (frame.symbol.empty()) return module;
  if (!symbolize::is_standard_library(frame)) return module + '!' + without_signature(frame.symbol);
  const std::string lambda = lambda_in(frame.symbol);
  return lambda.empty() ? "" : module + '!' + without_signature(lambda);
}

// The innermost frame of what is neither the C run time nor an interpreter, whatever its name;
// empty without a build id.
std::string place_in_code(const std::vector<symbolize::Frame>& stack) {
  for (const symbolize::Frame& frame : stack) {
    const std::string& module = frame.module;
    if (frame.script || module.empty() || symbolize::is_c_runtime(module) ||
        symbolize::is_interpreter(module))
      continue;
    if (frame.build_id.empty()) return "";
    std::array<char, 24> offset{};
    std::snprintf(offset.data(), offset.size(), "+0x%llx",
                  static_cast<unsigned long long>(frame.offset));
    return frame.build_id + offset.data();
  }
  return "";
}

std::string own_function(const std::vector<symbolize::Frame>& stack, NamedBy by) {
  const symbolize::Frame* first = symbolize::innermost_code(stack);
  if (first == nullptr) return "";
  if (first->script) return script_name(*first);
  if (by == NamedBy::machine_code)
    if (std::string place = place_in_code(stack); !place.empty()) return place;
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    if (stack[i].script || (stack[i].inlined && by != NamedBy::source_function)) continue;
    std::string name = own_name(stack[i]);
    if (!name.empty()) return name;
  }
  return place_of(stack);
}

// Whether it is a program of the system, or an interpreter.
bool is_installed(const std::vector<symbolize::Frame>& stack) {
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
    const std::string& module = frame->module;
    if (module.empty() || symbolize::is_c_runtime(module)) continue;
    const bool local = module.starts_with("/usr/local/");
    return !local && (module.starts_with("/usr/") || module.starts_with("/bin/") ||
                      module.starts_with("/sbin/") || module.starts_with("/lib"));
  }
  return false;
}

// The starter of a system program, if that is not of the system.
std::string starter_name(StackCache& stacks, StackRef ref, NamedBy by) {
  constexpr int kGenerations = 16;
  StackRef at = stacks.source().started(ref.segment);
  for (int i = 0; at.id != 0 && i < kGenerations; ++i) {
    const std::vector<symbolize::Frame>& stack = stacks.code(at);
    const symbolize::Frame* frame = symbolize::culprit(stack);
    const bool own = frame != nullptr && (frame->script ? !symbolize::is_library(*frame) &&
                                                              !symbolize::is_given_text(*frame)
                                                        : !is_installed(stack));
    if (own) return own_function(stack, by);
    at = stacks.source().started(at.segment);
  }
  return "";
}

std::string name_code(StackCache& stacks, StackRef ref, NamedBy by) {
  const std::vector<symbolize::Frame>& stack = stacks.code(ref);
  std::string name = own_function(stack, by);
  const symbolize::Frame* frame = symbolize::culprit(stack);
  if (frame == nullptr || frame->script || !is_installed(stack)) return name;
  const std::string starter = starter_name(stacks, ref, by);
  return starter.empty() ? name : name + '<' + starter;
}

// The position after the list of parameters that begins at `at`.
std::size_t behind_parameters(std::string_view symbol, std::size_t at) {
  int depth = 0;
  for (; at < symbol.size(); ++at) {
    if (symbol[at] == '(') ++depth;
    if (symbol[at] == ')' && --depth == 0) return at + 1;
  }
  return at;
}

}  // namespace

std::string without_signature(const std::string& symbol) {
  static constexpr std::string_view kAnonymous = "(anonymous namespace)", kCall = "operator()";
  const std::string name = without_clone(symbol);
  if (name.find(".(*") != std::string::npos) return name;  // a method of Go
  std::string out;
  int depth = 0;  // of <> and {}
  std::size_t begin = 0;
  for (std::size_t at = 0; at < name.size();) {
    const std::string_view rest = std::string_view(name).substr(at);
    if (rest.starts_with(kAnonymous)) {
      out += kAnonymous;
      at += kAnonymous.size();
    } else if (rest.starts_with("operator") && depth == 0) {
      // "operator<", "operator()", "operator unsigned int": up to its parameters.
      const std::size_t end = name.find('(', at + (rest.starts_with(kCall) ? kCall.size() : 0));
      out += name.substr(at, end == std::string::npos ? end : end - at);
      at = std::min(end, name.size());
    } else if (rest.front() == '(' && depth == 0) {
      at = behind_parameters(name, at);
      // "f(int)::{lambda()#1}" goes on, " const" does not.
      const std::size_t more = name.find("::", at);
      if (more == std::string::npos) break;
      at = more;
    } else {
      const char c = rest.front();
      if (c == '<' || c == '{') ++depth;
      if (c == '>' || c == '}') --depth;
      out += c;
      ++at;
      if (c == ' ' && depth == 0) begin = out.size();  // after a return type
    }
  }
  if (out.find("operator") == std::string::npos) out.erase(0, begin);
  if (const std::size_t tag = out.find("[abi:"); tag != std::string::npos) out.resize(tag);
  const std::string call = "}::" + std::string(kCall);
  if (out.ends_with(call)) out.resize(out.size() - call.size() + 1);
  return out;
}

bool is_own_code(const symbolize::Frame& frame) {
  return !frame.script && !frame.module.empty() && !symbolize::is_interpreter(frame.module) &&
         !symbolize::is_c_runtime(frame.module) && !symbolize::is_standard_library(frame);
}

std::string code_name(StackCache& stacks, StackRef ref) {
  return name_code(stacks, ref, NamedBy::function);
}

std::string source_code_name(StackCache& stacks, StackRef ref) {
  return name_code(stacks, ref, NamedBy::source_function);
}

std::string machine_code_name(StackCache& stacks, StackRef ref) {
  return name_code(stacks, ref, NamedBy::machine_code);
}

std::string innermost_symbol(const std::vector<symbolize::Frame>& stack) {
  const symbolize::Frame* frame = innermost_frame(stack);
  return frame == nullptr ? "" : frame_name(*frame);
}

std::string place_of(const std::vector<symbolize::Frame>& stack) {
  const symbolize::Frame* frame = innermost_frame(stack);
  if (frame == nullptr) return "";
  return frame->symbol.empty() && !frame->script ? symbolize::base_name(frame->module)
                                                 : frame_name(*frame);
}

std::string symbol_chain(const std::vector<symbolize::Frame>& stack) {
  const symbolize::Frame* first = symbolize::innermost_code(stack);
  if (first == nullptr) return "";
  std::string out;
  std::size_t taken = 0;
  // Programs and libraries that run other code are left out, and so is generated code, which has no
  // module: their frames depend on caches and compilation, not on the caller. In a stack with
  // script frames all native frames are.
  const auto counts = [&](const symbolize::Frame& frame) {
    if (first->script)
      return frame.script && symbolize::is_library(frame) == symbolize::is_library(*first);
    return !frame.module.empty() && !symbolize::is_interpreter(frame.module);
  };
  for (auto i = static_cast<std::size_t>(first - stack.data()); i < stack.size(); ++i) {
    if (!counts(stack[i])) continue;
    if (!out.empty()) out += '<';
    out += frame_name(stack[i]);
    if (++taken == kFrames || is_entry(stack[i].symbol)) break;
  }
  return out;
}

std::vector<std::string> names_on(const std::vector<symbolize::Frame>& stack) {
  std::vector<std::string> names;
  for (const symbolize::Frame& frame : stack) {
    if (!frame.symbol.empty()) names.push_back(frame.symbol);
    if (frame.script && !frame.file.empty()) names.push_back(symbolize::base_name(frame.file));
    if (!frame.module.empty()) names.push_back(symbolize::base_name(frame.module));
  }
  return names;
}

}  // namespace umaskaudit::analysis
