// Reads the mask that an fs context starts with, without ever writing a mask that another task can
// see.
// Must never call umask(2) in a task that shares its fs context: that would open the very window
// that this tool looks for.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

struct InitialMask {
  std::uint16_t mask = 0;
  trace::MaskSource source = trace::MaskSource::unknown;
};

// The calling thread's mask, from field Umask of its status in /proc (proc(5), since Linux 4.7);
// without /proc, from umask(2) in a task with a copy of the fs context; failing that, from the mode
// of an unnamed temporary file. Async-signal-safe. No other thread sees a descriptor (own_table.h).
InitialMask read_initial_mask();

// Parses the text of a status file; source is unknown where the field is missing.
InitialMask find_mask(const char* status);

// By /proc only; source is unknown when there is none.
InitialMask read_proc_mask();

}  // namespace umaskaudit::shim
