// From recorded frames to functions, files and lines, by elfutils libdwfl, long after the program
// ended and on any machine that has the modules or their debug files.
// Must never run a program, follow DEBUGINFOD_URLS unasked, or trust a module file: it may be
// hostile. Called by the renderers. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/stack_source.h"

namespace umaskaudit {

// One source-level frame: an inlined call gives several for one address. Or one of a script, which
// has no address; its module is the runtime's.
struct Frame {
  std::string module;    // path as recorded; empty for generated code
  std::string build_id;  // lower-case hex
  std::uint64_t offset = 0;
  std::string symbol;  // demangled; empty when unknown
  std::string file;    // empty when unknown
  std::uint32_t line = 0;
  bool inlined = false;  // this frame was inlined into the next one
  std::string language;  // "C", "C++", "Rust", "Python", ...; empty when unknown
  bool script = false;
  bool line_of_other = false;  // `line` may be of a file that `file` reads
  // A native frame of the interpreter that runs the script frames of this stack, or of what started
  // it: of no interest beside them.
  bool folded = false;
};

struct KnownNames;

struct SymbolOptions {
  std::string sysroot;                  // modules are looked up below it
  std::vector<std::string> debug_dirs;  // searched before /usr/lib/debug
  bool debuginfod = false;              // ask DEBUGINFOD_URLS
  bool symbols = true;                  // false: modules and offsets only
  std::string code_maps{};              // the folder of the maps of generated code; empty: none
  // Asked first, by return address; null: nothing is known.
  std::shared_ptr<const KnownNames> known{};
};

// A return address as it was recorded, apart from any run.
struct RecordedAddress {
  std::string module;        // path; empty for generated code
  std::string build_id;      // lower-case hex; may be empty
  std::uint64_t offset = 0;  // return address - load bias
  std::uint32_t pid = 0;     // whose generated code it is; 0 with a module
};

// One line for people for each runtime whose scripts' frames could not be read. Raw bytes, as
// below.
std::vector<std::string> runtime_notes(const std::vector<ScriptRuntime>& runtimes);

class Symbolizer {
 public:
  // Starts nothing yet: the first look-up forks the child that reads the module files.
  explicit Symbolizer(SymbolOptions options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Frames of a stack, innermost first, inlined calls expanded. Cached by (build id or path,
  // offset). Return addresses are looked up at address - 1, so that the call's line is named.
  // Script frames are in their places; what they stand for is left out.
  std::vector<Frame> stack(const StackSource& source, StackRef ref);
  // The native frames alone, all of them.
  std::vector<Frame> native_stack(const StackSource& source, StackRef ref);

  // The same for addresses from anywhere: their frames, one after the other. Each address gives at
  // least one frame, which may have nothing but module and offset.
  std::vector<Frame> lookup(std::span<const RecordedAddress> addresses);
  std::vector<Frame> lookup(const std::string& module, const std::string& build_id,
                            std::uint64_t offset);

  // Modules without names so far, and why, one line for people each: "libx.so changed since the
  // recording (build id a1 recorded, b2 on disk)". Holds raw bytes of paths: escape it.
  const std::vector<std::string>& notes() const;

  // Adds what it has found out so far.
  void tell(KnownNames& names) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit
