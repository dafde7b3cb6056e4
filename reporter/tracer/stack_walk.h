// StackWalk: walks from a frame of another process to its callers.
// Must never read unmapped memory, nor loop.
#pragma once

#include <memory>

#include "reporter/tracer/code_sites.h"
#include "reporter/tracer/remote_modules.h"

namespace umaskaudit::tracer {

// A copy of the stack, filled by few large reads.
class StackCopy {
 public:
  void restart(ProcessMemory memory, std::uint64_t sp);
  bool read(std::uint64_t address, std::uint64_t& word);
  // The interface for the expression machine.
  bool read_and_depend(std::uint64_t address, std::uint64_t& word) { return read(address, word); }

 private:
  static constexpr std::size_t kSize = 16 << 10;
  static constexpr unsigned kMostReads = 32;  // in a walk

  ProcessMemory memory_{0};
  std::unique_ptr<std::uint8_t[]> bytes_;  // once there is a walk
  std::uint64_t start_ = 0;
  std::size_t size_ = 0;
  unsigned reads_ = 0;
};

struct WalkParts {
  RemoteModules& modules;
  CodeSites& sites;
  StackCopy& stack;
};
RemoteStack walk_remote(const WalkParts& parts, ProcessMemory memory, const Registers& registers,
                        unsigned depth);

}  // namespace umaskaudit::tracer
