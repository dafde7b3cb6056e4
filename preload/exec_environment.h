// Puts the preload back into an environment that a program cleaned, and looks at what it execs.
// Must never call malloc: exec wrappers run in vfork children and signal handlers.
// Called by wrap_exec.cc; remember_environment() by init.
#pragma once

#include <cstddef>

#include "preload/recorder.h"

namespace umaskaudit::shim {

// Keeps LD_PRELOAD and UMASKAUDIT_OPTIONS as this image got them, the latter with absolute trace=
// and log=. `options_moved`: these were relative, and children that libc starts by itself
// (system(3), popen(3)) get what stands in environ, so ours is put there. Once, at start.
void remember_environment(bool options_moved = false);

// What an environment lacks to keep a child followed.
struct EnvironmentPlan {
  std::size_t entries = 0;        // of the environment as it is
  std::size_t preload_at = 0;     // index of its LD_PRELOAD; == entries: it has none
  std::size_t preload_bytes = 0;  // for the new LD_PRELOAD string; 0: ours is there already
  bool lacks_options = false;
  bool intact() const { return preload_bytes == 0 && !lacks_options; }
  std::size_t slots() const { return entries + 3; }  // pointers in the repaired array, with null
  std::size_t bytes() const { return slots() * sizeof(char*) + preload_bytes; }
};
EnvironmentPlan plan_environment(char* const* environment);  // null: empty (execve(2), Linux)
// The repaired array, in plan.bytes() of memory that is aligned for pointers.
char** repair_environment(const EnvironmentPlan& plan, char* const* environment, char* memory);

// Whether the preload can get into `path` at all. nothing: it can, or the file cannot be read.
struct Obstacle {
  bool found = false;
  trace::Blind reason = trace::Blind::other;
};
Obstacle find_obstacle(const char* path);
// The same for a bare name that PATH is searched for (execvp(3)); `path` receives what was found.
Obstacle find_obstacle_in_path(const char* file, char* path, std::size_t size);

}  // namespace umaskaudit::shim
