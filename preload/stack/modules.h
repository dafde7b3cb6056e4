// Which object a code address belongs to, and its record in the trace.
// Must never take the loader's lock: async-signal-safe. Nor read an object's memory unasked: its
// header may be unreadable, and another thread may unload it. Called when a new stack is written,
// and by the live log.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// Copies of what the loader and the object say. The pointers lead into the buffer that it was read
// into.
struct Module {
  const char* path = "";  // the main program's is filled in
  std::uint32_t path_length = 0;
  std::uintptr_t base = 0;  // load bias
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  const unsigned char* headers = nullptr;  // ELF header and program headers
  std::uint32_t headers_length = 0;        // 0: they cannot be read
  const unsigned char* build_id = nullptr;
  std::uint32_t build_id_length = 0;  // 0: none
  const ElfW(Dyn) * dynamic = nullptr;
};

// False: generated code, no object's, or one that is just going away. `self`: our process id.
bool find_module(std::uintptr_t pc, int self, const Scratch& buffer, Module& module);

// The same for the same object at the same place, however often it was unloaded meanwhile. Not 0.
std::uint64_t identity_of(const Module& module);

// The frame as the trace has it: module id << 48 | offset. Writes the module's record first if this
// segment has none yet. Not `named`: the module could not be written, or has no number any more,
// and the address stands for itself.
struct Frame {
  std::uint64_t word;
  bool named;
};
Frame encode_frame(const Author& author, std::uintptr_t pc);

// Called once, at the start: `look` is called then with load bias and dynamic section of each
// object that gets a record, in the thread whose stack it is in. Async-signal-safe, as that is.
// `room`: so many bytes, aligned for anything, for that time.
inline constexpr std::size_t kRoomForLook = 4096;
using LookAtModule = void (*)(std::uintptr_t bias, const ElfW(Dyn) * dynamic, char* room);
void look_at_new_modules(LookAtModule look);

// After dlclose(3): other objects may be loaded where one was.
void forget_modules();

}  // namespace umaskaudit::shim
