// The mask that a context starts with, read without ever writing a mask that anybody else can see.
// Must never call umask(2) in a task that shares its fs context (a window of our own making is what
// this tool exists to find).
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

struct InitialMask {
  std::uint16_t mask = 0;
  trace::MaskSource source = trace::MaskSource::unknown;
};

// The calling thread's mask: field Umask of its status in /proc (proc(5), since Linux 4.7);
// without /proc a task of ours reads a copy of its own; failing that, the mode of an unnamed
// temporary file tells. Async-signal-safe. No other thread sees a descriptor (own_table.h).
InitialMask read_initial_mask();

// In the text of such a file; source is unknown where the field is missing.
InitialMask find_mask(const char* status);

// The first of the three alone; source is unknown when there is no /proc.
InitialMask read_proc_mask();

}  // namespace umaskaudit::shim
