// Which loaded object an address lies in.
// Must never take the loader's lock: find_object() runs in signal handlers. Where libc has
// _dl_find_object(3) (glibc 2.35), that is asked; elsewhere a table of our own.
// Called by the unwinder, and by all that says which object a call came from.
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

// False: no object's, or of one that the table does not have yet. Async-signal-safe.
bool find_object(std::uintptr_t address, LoadedObject& object);

// Fills the table, if one is needed: at the start, and after dlclose(3). Takes the loader's lock.
// What is loaded later comes into the table when it is first asked for.
void read_loaded_objects();

// In a forked child: a thread that wrote into the table is not there any more.
void release_loaded_objects();

}  // namespace umaskaudit::shim
