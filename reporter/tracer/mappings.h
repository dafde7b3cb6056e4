// What /proc/PID/maps says (proc_pid_maps(5)).
// Must never trust a path in it: it is only what was mapped once had as its name.
// Called by address_space.cc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace umaskaudit::tracer {

struct Mapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;  // in the file
  dev_t device = 0;
  ino_t inode = 0;  // 0: no file's
  bool executable = false;
  bool deleted = false;  // " (deleted)" stood behind its path, which may be a part of the name
  std::string path;      // "[vdso]" and the like too
};

std::vector<Mapping> parse_mappings(const std::string& text);

// Of the process that the thread belongs to, in the order of addresses. Empty: it is gone.
std::vector<Mapping> read_mappings(pid_t tid);

// The file of a mapping, of whatever name it has now, opened for reading. -1: it cannot be found,
// or is another one now. `sure`: device and inode are the mapping's; otherwise only the inode is,
// for file systems in layers have another device in maps than in stat(2).
int open_mapped(pid_t tid, const Mapping& mapping, bool& sure);

}  // namespace umaskaudit::tracer
