// Reasons of blind spots that came after version 1.1 of the trace; format.h has the others. A
// reader that does not know one shows it as "other". Must never change a value. Included by both
// halves.
#pragma once

#include "preload/trace/format.h"

namespace umaskaudit::trace {

inline constexpr Blind kGoRuntime{12};         // the program makes its system calls by itself
inline constexpr Blind kExecLibc{13};          // a program whose C library cannot load ours
inline constexpr Blind kExecLibrary{14};       // our library cannot be read where it starts
inline constexpr Blind kExecRunDirectory{15};  // it could not write into the run directory
// Never written: an exec that no image followed, as the reader finds out.
inline constexpr Blind kExecSilent{16};

}  // namespace umaskaudit::trace
