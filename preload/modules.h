// Which object a code address belongs to, and its record in the trace.
// Must never take the loader's lock: async-signal-safe.
// Called when a new stack is written, and by the live log.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/recorder.h"

namespace umaskaudit::shim {

struct Module {
  const char* path;  // "" never: the main program's is filled in
  std::uint32_t path_length;
  std::uintptr_t base;  // load bias
  std::uintptr_t start;
  std::uintptr_t end;
  const std::uint8_t* build_id;  // null: none
  std::uint32_t build_id_length;
  const ElfW(Dyn) * dynamic;
};

// False: generated code, or no object's.
bool find_module(std::uintptr_t pc, Module& module);

// The frame as the trace has it: module id << 48 | offset. Writes the module's record first if this
// segment has none yet.
std::uint64_t encode_frame(const Author& author, std::uintptr_t pc);

// After dlclose(3): other objects may be loaded where one was.
void forget_modules();

}  // namespace umaskaudit::shim
