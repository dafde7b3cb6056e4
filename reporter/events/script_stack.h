// The frames of a script on a stack: what its runtime (CPython, bash, V8, ...) runs at that moment,
// as the shim read it out of the runtime's own structures.
// Plain data, as events.h: string views live as long as the run that made them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit {

struct ScriptFrame {
  std::string_view function;
  std::string_view file;  // as the runtime calls it; empty: not known
  std::uint32_t line = 0;
  trace::Language language = trace::Language::none;
  bool line_of_other = false;  // `line` may be of a file that `file` reads
  bool entry = false;          // native code called into the script here
};

struct ScriptStack {
  std::vector<ScriptFrame> frames;  // innermost first
  trace::Language language = trace::Language::none;
  std::uint32_t native = 0;   // the stack of native frames, of the same segment
  std::uint32_t runtime = 0;  // module id
  // Return addresses in that module, as in RawFrame, from the first on: code that runs scripts.
  std::uint64_t evaluator = 0, evaluator_size = 0;
  bool truncated = false;  // at its outer end
  bool partial = false;    // frames may be missing anywhere
};

// Whether frames of a language could be read, of one runtime that a process had.
struct ScriptRuntime {
  trace::Language language = trace::Language::none;
  trace::RuntimeState state = trace::RuntimeState::read;
  std::string_view text;    // its name and version
  std::string_view module;  // path
};

// Where a language's frames belong among the native ones: see languages.def.
enum class ScriptPlacement : std::uint8_t { each, run, first };
ScriptPlacement placement_of(trace::Language language);
// "Python", ...; empty for one that this reader does not know.
const char* language_name(trace::Language language);

}  // namespace umaskaudit
