// Symbolizer: functions, files and lines of recorded frames, by elfutils libdwfl, long after the
// program ended and on any machine with the modules or their debug files.
// Must never run a program, use DEBUGINFOD_URLS unless told to, or trust a module file, which may
// be hostile. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/stack_source.h"

namespace umaskaudit::symbolize {

// One source-level frame: an address inside inlined calls has several. Or a script frame, without
// an address; its module is the runtime's.
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
  bool line_of_other = false;  // `line` may belong to a file that `file` includes
  // A native frame of the interpreter that runs the script frames of this stack, or of the code
  // that started it: hidden beside them.
  bool folded = false;
};

struct KnownNames;

struct SymbolOptions {
  std::string sysroot;                  // modules are looked up below it
  std::vector<std::string> debug_dirs;  // searched before /usr/lib/debug
  bool debuginfod = false;              // ask DEBUGINFOD_URLS
  bool symbols = true;                  // false: modules and offsets only
  std::string code_maps{};              // directory of the maps of generated code; empty: none
  // Looked up first, by return address; null: none.
  std::shared_ptr<const KnownNames> known{};
};

// A recorded return address, independent of a run.
struct RecordedAddress {
  std::string module;        // path; empty for generated code
  std::string build_id;      // lower-case hex; may be empty
  std::uint64_t offset = 0;  // return address - load bias
  std::uint32_t pid = 0;     // whose generated code it is; 0 with a module
};

// One line of text for each runtime whose script frames could not be read. Raw bytes, as below.
std::vector<std::string> runtime_notes(const std::vector<ScriptRuntime>& runtimes);

class Symbolizer {
 public:
  // Starts nothing yet: the first lookup forks the child that reads the module files.
  explicit Symbolizer(SymbolOptions options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Frames of a stack, innermost first, inlined calls expanded. Cached by (build id or path,
  // offset). Return addresses are looked up at address - 1, so that the call's line is found.
  // Script frames replace the native frames that ran them.
  std::vector<Frame> stack(const StackSource& source, StackRef ref);
  // All native frames.
  std::vector<Frame> native_stack(const StackSource& source, StackRef ref);

  // The same for any addresses: their frames, one after the other. Each address has at least one
  // frame, maybe with module and offset only.
  std::vector<Frame> lookup(std::span<const RecordedAddress> addresses);
  std::vector<Frame> lookup(const std::string& module, const std::string& build_id,
                            std::uint64_t offset);

  // Modules without names so far, and why, one line each: "libx.so changed since the recording
  // (build id a1 recorded, b2 on disk)". Contains raw bytes of paths: escape it.
  const std::vector<std::string>& notes() const;

  // Adds all names that were looked up so far.
  void add_names(KnownNames& names) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::symbolize
