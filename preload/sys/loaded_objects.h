// Finds the loaded object that an address lies in.
// Must never take the loader's lock: find_object() runs in signal handlers. It asks
// _dl_find_object(3) where libc has that (glibc 2.35), else a table of our own.
#pragma once

#include <link.h>

#include <cstdint>

namespace umaskaudit::shim {

struct LoadedObject {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  std::uintptr_t bias = 0;                 // load address, less the one in the file
  const char* path = nullptr;              // as the loader has it; "" or null: the main program
  const ElfW(Dyn) * dynamic = nullptr;     // null: none
  const std::uint8_t* eh_frame = nullptr;  // .eh_frame_hdr; null: none
};

// False: the address is in no object, or in one that the table does not have yet.
// Async-signal-safe.
bool find_object(std::uintptr_t address, LoadedObject& object);

// Fills the table, if this libc needs one: at the start, and after dlclose(3). Takes the loader's
// lock. Objects that are loaded later are added when find_object() first asks for them.
void read_loaded_objects();

// In a forked child: resets the state of a thread that was filling the table and does not exist
// here.
void release_loaded_objects();

}  // namespace umaskaudit::shim
