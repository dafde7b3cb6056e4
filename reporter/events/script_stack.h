// ScriptStack: the script frames of a stack, as the shim read them from the structures of the
// runtime (CPython, bash, V8, ...). Plain data; string views live as long as the run that made
// them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit {

struct ScriptFrame {
  std::string_view function;
  std::string_view file;  // the name that the runtime has for it; empty: not known
  std::uint32_t line = 0;
  trace::Language language = trace::Language::none;
  bool line_of_other = false;  // `line` may belong to a file that `file` includes
  bool entry = false;          // native code called into the script here
};

struct ScriptStack {
  std::vector<ScriptFrame> frames;  // innermost first
  trace::Language language = trace::Language::none;
  std::uint32_t native = 0;   // the stack of native frames, of the same segment
  std::uint32_t runtime = 0;  // module id
  // The evaluator: return addresses in that module, as in RawFrame, that run script frames.
  std::uint64_t evaluator = 0, evaluator_size = 0;
  bool truncated = false;  // cut at the outer end
  bool partial = false;    // frames may be missing anywhere
};

// Whether the script frames of a runtime that a process had could be read.
struct ScriptRuntime {
  trace::Language language = trace::Language::none;
  trace::RuntimeState state = trace::RuntimeState::read;
  std::string_view text;    // its name and version
  std::string_view module;  // path
};

// The position of a language's frames among the native ones: see languages.def.
enum class ScriptPlacement : std::uint8_t { each, run, first };
ScriptPlacement placement_of(trace::Language language);
// "Python", ...; empty for a language that this version does not know.
const char* language_name(trace::Language language);

}  // namespace umaskaudit
