// Finds the loaded object (module) of a code address, and writes its record.
// Must never take the loader's lock: async-signal-safe. Nor read an object's memory directly: its
// header may be unreadable, and another thread may unload it.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// A module's facts, copied from the loader and the object. The pointers lead into the buffer that
// was passed to the function.
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

// False: generated code, or an object that is being unloaded. `self`: our process id.
bool find_module(std::uintptr_t pc, int self, const Scratch& buffer, Module& module);

// Equal for the same object at the same address, also after it was unloaded and loaded again. Never
// 0.
std::uint64_t identity_of(const Module& module);

// The frame in the trace's form: module id << 48 | offset. Writes the module's record first if this
// segment has none yet. `named` is false when the module could not be written, or there are no ids
// left: then the frame is the bare address.
struct Frame {
  std::uint64_t word;
  bool named;
};
Frame encode_frame(const Author& author, std::uintptr_t pc);

// Call once, at the start. `look` is called with load bias and dynamic section of each object that
// gets a record, in the thread whose stack it is in; async-signal-safe. `room` points to so many
// bytes for its use, aligned for any type.
inline constexpr std::size_t kRoomForLook = 4096;
using LookAtModule = void (*)(std::uintptr_t bias, const ElfW(Dyn) * dynamic, char* room);
void look_at_new_modules(LookAtModule look);

// After dlclose(3): another object may be loaded at the same address.
void forget_modules();

}  // namespace umaskaudit::shim
