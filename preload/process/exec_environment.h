// Puts our LD_PRELOAD entry back into an environment that the program cleaned, or removes it.
// Must never call malloc: exec wrappers run in vfork children and signal handlers.
#pragma once

#include <cstddef>

#include "preload/state.h"

namespace umaskaudit::shim {

// Stores LD_PRELOAD and UMASKAUDIT_OPTIONS as this image got them, the latter with absolute trace=
// and log=. `options_moved`: those were relative, and children that libc starts by itself
// (system(3), popen(3)) get `environ`, so the absolute ones are stored there. Once, at the start.
void remember_environment(bool options_moved = false);

// What an environment lacks so that a child is recorded.
struct EnvironmentPlan {
  std::size_t entries = 0;        // of the environment as it is
  std::size_t preload_at = 0;     // index of LD_PRELOAD; == entries: it has none
  std::size_t preload_bytes = 0;  // size of the new LD_PRELOAD string; 0: unchanged
  bool lacks_options = false;
  bool drops_ours = false;  // remove our entry from LD_PRELOAD, and keep the rest
  bool intact() const { return preload_bytes == 0 && !lacks_options; }
  std::size_t slots() const { return entries + 3; }  // pointers in the repaired array, with null
  std::size_t bytes() const { return slots() * sizeof(char*) + preload_bytes; }
};
// null: empty (execve(2), Linux). `drop`: the program cannot load us (exec_target.h).
EnvironmentPlan plan_environment(char* const* environment, bool drop = false);
// The changed array, in plan.bytes() of memory that is aligned for pointers.
char** repair_environment(const EnvironmentPlan& plan, char* const* environment, char* memory);

// Our entry of LD_PRELOAD as this image got it; "": it was loaded another way.
const char* preload_entry();

// For libc's functions that start a shell with `environ`. If LD_PRELOAD there is still the initial
// string, our entry in it is blanked (`there` false) or written again, in place: no pointer
// changes, and an LD_PRELOAD with no other entry becomes empty. A string of the program's own is
// not changed.
void set_own_entry_in_environ(bool there);

}  // namespace umaskaudit::shim
