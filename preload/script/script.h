// Adds script frames to a captured stack: detects which runtimes the stack leads through, and
// interns a stack with script frames beside the native ones.
// Must never lock, wait, allocate or fault, nor change what the program sees. Called by stacks.cc
// for each captured stack, and by modules.cc for each new module.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/script/place_text.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// A module that was just given an id. `path` ends with a NUL.
struct NewModule {
  std::uint32_t id = 0;
  std::uintptr_t bias = 0;
  const ElfW(Dyn) * dynamic = nullptr;
  const char* path = nullptr;
};

// Writes a Runtime record if the module is one.
void meet_module(const Author& author, const NewModule& module);

// The index of a known runtime, from 1; 0: none. At most kMostRuntimes.
using RuntimeNumber = std::uint8_t;
inline constexpr unsigned kMostRuntimes = 7;

// The runtime that a native frame belongs to.
struct Shown {
  RuntimeNumber runs = 0;  // the frame runs a script
  RuntimeNumber near = 0;  // the frame is the runtime's: scripts may run further out
};
// `module` 0: generated code.
Shown runtime_of_frame(std::uint32_t module, std::uintptr_t pc);

// The walk ended at `pc`, in code of `module` without tables. True: it belongs to a runtime that
// keeps frame pointers there, so another walk gets further.
bool find_linked_code(const Author& author, std::uint32_t module, std::uintptr_t pc);

// What else decides how the script frames of a stack are read.
struct ScriptQuestion {
  RuntimeNumber runtime = 0;
  bool interrupted = false;  // a signal frame was crossed
  bool roomy = false;        // kRoomForScript bytes are left on the calling thread's stack
  const LinkedFrames* linked = nullptr;  // of this walk; null: there are none
};
inline constexpr std::uintptr_t kRoomForScript = 8192;

// The id of the stack with script frames in front of, or among, the native frames of `native`;
// `native` itself where there are none, or they cannot be read. May write records.
std::uint32_t add_script(const Author& author, std::uint32_t native,
                         const ScriptQuestion& question);

// Passes the same frames to `show` as text, innermost first, for the live log, within the same call
// of the program as the walk. `show` returns whether it wants another one.
using ShowPlace = bool (*)(void* to, const PlaceText& text);
void show_script(const ScriptQuestion& question, ShowPlace show, void* to);

}  // namespace umaskaudit::shim
