// ProgramFacts: whether a program file can be recorded, found without running it.
// Must never execute, map or trust the file: it is read with bounds. Used by `run` before it starts
// CMD, and by `doctor`.
#pragma once

#include <string>
#include <vector>

namespace umaskaudit::inspect {

// Why LD_PRELOAD cannot work for a program, or works only in part.
enum class Obstacle {
  none,
  not_found,
  not_executable,
  static_link,   // no PT_INTERP: no dynamic loader runs
  privileged,    // setuid, setgid, file capabilities: AT_SECURE drops LD_PRELOAD
  architecture,  // another word size or machine than the library
  foreign_libc,  // a loader that is neither glibc's nor musl's
  go_runtime,    // dynamically linked, but makes its own system calls
};

// "static", "privileged", ...: as run.json has it.
const char* obstacle_name(Obstacle obstacle);
// One line that explains it.
const char* obstacle_text(Obstacle obstacle);
// False when nothing of the program can be recorded.
bool can_audit(Obstacle obstacle);
// False when its loader would report an error about the library, or not start the program at all. A
// static program only passes LD_PRELOAD on.
bool can_load(Obstacle obstacle);

struct ProgramFacts {
  std::string path;  // as execvp(3) would find it; empty when not found
  // Interpreters of scripts, outermost first; the last one (or `path`) is the ELF file that was
  // examined.
  std::vector<std::string> interpreters;
  Obstacle obstacle = Obstacle::none;
  bool go = false;  // a Go program, which makes its own system calls
};

// Looks `name` up through PATH unless it has a slash, follows #! lines, reads the ELF headers.
ProgramFacts inspect_program(const std::string& name);

}  // namespace umaskaudit::inspect
