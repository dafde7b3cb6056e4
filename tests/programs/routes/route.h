// A route is one way to create: a call, and what the kernel says came of it, as a JSON line.
// Must never ask anybody but the kernel: modes and kinds by fstat and statfs, the rest by /proc.
// Included by route_rows.cc (a route for each row of interceptors.def), route_more.cc, routes.cc.
#pragma once

#include <vector>

#include "victim.h"

namespace route {

// What one call is made with, and what it leaves to look at.
struct Attempt {
  std::string path;      // absolute; a template is filled in
  std::string relative;  // the same, as seen from `dirfd` and from the working directory
  int dirfd = -1;
  unsigned round = 0;  // 0, 1, ...: the mask of each is another

  // Set by the route.
  unsigned requested = 0;
  std::string look_at;   // where the object lies, if not at `path`
  std::string recorded;  // its name in a record, if not `path`
  bool nameless = false;
  int fd = -1;          // looked at instead, and closed afterwards
  pid_t child = 0;      // the task that made it, if not the calling thread
  bool silent = false;  // nothing that could be created: no record is wanted
};

struct Route {
  std::string name;
  const char* call;              // what a record has to name
  bool (*go)(Attempt& attempt);  // false: refused, and errno says why
  bool once = false;             // a second call would make something else
};

std::vector<Route> of_rows();
std::vector<Route> of_numbers();  // the same calls by syscall(2)
std::vector<Route> of_others();

// POSIX IPC names are the whole system's: this one is this process's own.
inline std::string ipc_name(const Attempt& attempt) {
  return "/umaskaudit-route-" + std::to_string(getpid()) + "-" + attempt.relative;
}

// A stream is looked at through a descriptor that outlives it.
inline int descriptor_of(FILE* stream) {
  if (stream == nullptr) return -1;
  const int fd = dup(fileno(stream));
  std::fclose(stream);
  return fd;
}

}  // namespace route
