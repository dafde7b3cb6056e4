// Puts the preload back into an environment that a program cleaned, or takes it out of one.
// Must never call malloc: exec wrappers run in vfork children and signal handlers.
// Called by wrap_exec.cc; remember_environment() by init.
#pragma once

#include <cstddef>

#include "preload/state.h"

namespace umaskaudit::shim {

// Keeps LD_PRELOAD and UMASKAUDIT_OPTIONS as this image got them, the latter with absolute trace=
// and log=. `options_moved`: these were relative, and children that libc starts by itself
// (system(3), popen(3)) get what stands in environ, so ours is put there. Once, at start.
void remember_environment(bool options_moved = false);

// What an environment lacks to keep a child followed.
struct EnvironmentPlan {
  std::size_t entries = 0;        // of the environment as it is
  std::size_t preload_at = 0;     // index of its LD_PRELOAD; == entries: it has none
  std::size_t preload_bytes = 0;  // for the new LD_PRELOAD string; 0: it stays as it is
  bool lacks_options = false;
  bool drops_ours = false;  // our entry goes out of LD_PRELOAD, everything else stays
  bool intact() const { return preload_bytes == 0 && !lacks_options; }
  std::size_t slots() const { return entries + 3; }  // pointers in the repaired array, with null
  std::size_t bytes() const { return slots() * sizeof(char*) + preload_bytes; }
};
// null: empty (execve(2), Linux). `drop`: the program cannot load us, see exec_target.h.
EnvironmentPlan plan_environment(char* const* environment, bool drop = false);
// The repaired array, in plan.bytes() of memory that is aligned for pointers.
char** repair_environment(const EnvironmentPlan& plan, char* const* environment, char* memory);

// Our part of LD_PRELOAD as this image got it; "": it was loaded in another way.
const char* preload_entry();

// libc's own ways to start a shell pass `environ` on. Where LD_PRELOAD there is still the string
// that we were started with, our entry in it is blanked (`there` false) or written again, in place:
// no pointer changes, and an LD_PRELOAD that held nothing else is empty. A string of the program's
// own is left alone.
void set_own_entry_in_environ(bool there);

}  // namespace umaskaudit::shim
