// Goes from a frame of another process to its callers.
// Must never read what is not mapped there, or go round in a circle.
// Called by address_space.cc.
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
  // What the stack machine of expressions asks for.
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
