// Paths that lead through a link of proc(5) to what a process works in or has open, as systemd and
// others write them to name a directory by its descriptor: /proc/self/fd/7/name, /dev/fd/7/name,
// /proc/self/cwd/name. Such a path means something else in each process and at each moment, so the
// record has the name of the directory instead, and the rest of the path.
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

struct ProcPlace {
  std::uint32_t base = 0;  // path id of the directory; 0: `rest` is the path as it was given
  const char* rest = "";   // relative to it, in the path
};
// What `path` names, behind such a link. Reads the link; changes no errno, async-signal-safe.
ProcPlace proc_place(const Author& author, const char* path, const Scratch& buffer);

// The name of what a path that ends with such a link leads to, in the buffer; empty where it has no
// name any more. Null: the path does not end with one.
const char* name_behind_proc_link(const char* path, const Scratch& buffer);

}  // namespace umaskaudit::shim
