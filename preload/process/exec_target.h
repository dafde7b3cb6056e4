// What stands in the way of our library in a program that is about to be started.
// Must never be seen: no descriptor in the program's table, no lock, nothing opened but regular
// files (the open of a FIFO lets a writer go on). Called by exec_environment.h's users.
#pragma once

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// A program as execveat(2) names it. `search`: a bare name is looked for along PATH (execvp(3)).
// `shell`: glibc hands a file that the kernel does not know (ENOEXEC) to /bin/sh.
struct ExecTarget {
  int dirfd;
  const char* path;  // readable; "": the file that dirfd is open on
  bool search;
  bool shell = false;
};

struct Obstacle {
  bool found = false;
  trace::Blind reason = trace::Blind::other;
  // Our entry must be taken out of LD_PRELOAD: the loader would complain on the program's stderr,
  // or not start it at all, or the library would be there in vain.
  bool drop = false;
  bool starts = false;  // there is such a file: the exec may well succeed
};

// Keeps which loader started us. Once, at start.
void remember_loader();

// Nothing is found where the library can get in, and where the file cannot be read. errno may
// change. Async-signal-safe.
Obstacle find_obstacle(const ExecTarget& target);

}  // namespace umaskaudit::shim
