// From recorded frames to functions, files and lines, by elfutils libdwfl, long after the program
// ended and on any machine that has the modules or their debug files.
// Must never run a program, follow DEBUGINFOD_URLS unasked, or trust a module file: it may be
// hostile. Called by the renderers. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reporter/model/events.h"
#include "reporter/model/run.h"

namespace umaskaudit {

// One source-level frame: an inlined call gives several for one address.
struct Frame {
  std::string module;    // path as recorded; empty for generated code
  std::string build_id;  // lower-case hex
  std::uint64_t offset = 0;
  std::string symbol;  // demangled; empty when unknown
  std::string file;    // empty when unknown
  std::uint32_t line = 0;
  bool inlined = false;   // this frame was inlined into the next one
  std::string language;   // "C", "C++", "Rust", ...; empty when unknown
};

struct SymbolOptions {
  std::string sysroot;                  // modules are looked up below it
  std::vector<std::string> debug_dirs;  // searched before /usr/lib/debug
  bool debuginfod = false;              // ask DEBUGINFOD_URLS
  bool symbols = true;                  // false: modules and offsets only
};

class Symbolizer {
 public:
  explicit Symbolizer(SymbolOptions options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Frames of a stack, innermost first, inlined calls expanded. Cached by (build id or path,
  // offset). Return addresses are looked up at address - 1, so that the call's line is named.
  std::vector<Frame> stack(const Run& run, StackRef ref);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit
