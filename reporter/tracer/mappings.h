// Mapping: a line of /proc/PID/maps (proc_pid_maps(5)).
// Must never trust a path in it: the file may have been renamed or replaced.
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
  ino_t inode = 0;  // 0: no file
  bool executable = false;
  bool deleted = false;  // " (deleted)" follows the path, but may also be part of the name
  std::string path;      // or "[vdso]" and the like
};

std::vector<Mapping> parse_mappings(const std::string& text);

// The mappings of the thread's process, by address. Empty: it has ended.
std::vector<Mapping> read_mappings(pid_t tid);

// Opens the file of a mapping for reading, under its current name. -1: not found, or replaced.
// `sure`: device and inode match the mapping; else only the inode does, because layered filesystems
// have another device in maps than in stat(2).
int open_mapped(pid_t tid, const Mapping& mapping, bool& sure);

}  // namespace umaskaudit::tracer
