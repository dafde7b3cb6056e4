// The script's frames of an event: which runtime's code a stack meets, and the stack that has the
// script's frames beside the native ones.
// Must never lock, wait, allocate or fault, nor change what the program sees. Called by stacks.cc
// for each captured stack, and by modules.cc when a module is written to the trace.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/script/place_text.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// A module that has just got its number in the trace. `path` ends with a NUL.
struct NewModule {
  std::uint32_t id = 0;
  std::uintptr_t bias = 0;
  const ElfW(Dyn) * dynamic = nullptr;
  const char* path = nullptr;
};

// Writes a Runtime record if the module is one.
void meet_module(const Author& author, const NewModule& module);

// One of the runtimes that were met, from 1; 0: none. At most kMostRuntimes.
using RuntimeNumber = std::uint8_t;
inline constexpr unsigned kMostRuntimes = 7;

// Which runtime a native frame shows.
struct Shown {
  RuntimeNumber runs = 0;  // the frame runs a script
  RuntimeNumber near = 0;  // it is the runtime's: there may be a script further out
};
// `module` 0: generated code.
Shown runtime_of_frame(std::uint32_t module, std::uintptr_t pc);

// The walk ended at `pc`, in code of `module` without tables. True: it is a runtime's that keeps
// frame pointers there, and another walk comes further.
bool find_linked_code(const Author& author, std::uint32_t module, std::uintptr_t pc);

// Of a stack that shows a runtime, what else decides how its script is read.
struct ScriptQuestion {
  RuntimeNumber runtime = 0;
  bool interrupted = false;              // a signal frame was crossed
  bool roomy = false;                    // the calling thread's stack has kRoomForScript bytes
  const LinkedFrames* linked = nullptr;  // of this walk; null: there are none
};
inline constexpr std::uintptr_t kRoomForScript = 8192;

// The id of the stack with the script's frames in front of, or among, those of `native`; `native`
// itself where there are none, or they cannot be had. May write records.
std::uint32_t add_script(const Author& author, std::uint32_t native,
                         const ScriptQuestion& question);

// The same frames in text, innermost first, for the live log: in the same call of the program as
// the walk. `show` says whether it wants another one.
using ShowPlace = bool (*)(void* to, const PlaceText& text);
void show_script(const ScriptQuestion& question, ShowPlace show, void* to);

}  // namespace umaskaudit::shim
