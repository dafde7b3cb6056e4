// Finds what keeps our library out of a program that is about to start (the obstacle).
// Must never be visible to the program: no descriptor in its table, no lock, and only regular files
// are opened (opening a FIFO would unblock a writer).
#pragma once

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// A program as execveat(2) names it. `search`: a bare name is searched for along PATH (execvp(3)).
// `shell`: glibc passes a file that the kernel cannot execute (ENOEXEC) to /bin/sh.
struct ExecTarget {
  int dirfd;
  const char* path;  // readable; "": the file that dirfd is open on
  bool search;
  bool shell = false;
};

struct Obstacle {
  bool found = false;
  trace::Blind reason = trace::Blind::other;
  // True when our entry must be removed from LD_PRELOAD: the loader would write an error to the
  // program's stderr, or fail, or load the library in vain.
  bool drop = false;
  bool starts = false;  // the file exists, so the exec may succeed
};

// Stores which loader started us. Once, at the start.
void remember_loader();

// No obstacle where the library can be loaded, and where the file cannot be read. May change errno.
// Async-signal-safe.
Obstacle find_obstacle(const ExecTarget& target);

}  // namespace umaskaudit::shim
