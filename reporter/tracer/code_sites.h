// What the instructions around a code address of a process say, where no table does.
// Called by the stack walk.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "reporter/tracer/process_memory.h"

namespace umaskaudit::tracer {

struct CodeSite {
  bool behind_call = false;  // an instruction in front of it calls something, so it may return here
  std::uint64_t target = 0;  // of that call; 0: only known at run time
  bool signal_return = false;  // it begins rt_sigreturn(2): what a signal handler returns to
};

class CodeSites {
 public:
  // `generation`: what was known is forgotten when it changes.
  CodeSite at(ProcessMemory memory, std::uint64_t address, unsigned generation);

  // How far above the stack pointer the caller's was when this code was last met: most functions
  // move it only where they begin and end. 0: not known.
  std::uint64_t frame_size(std::uint64_t pc) const {
    const auto place = sizes_.find(pc);
    return place == sizes_.end() ? 0 : place->second;
  }
  void keep_frame_size(std::uint64_t pc, std::uint64_t size) {
    if (sizes_.size() >= kMost) sizes_.clear();
    sizes_[pc] = size;
  }

 private:
  static constexpr std::size_t kMost = 1 << 16;
  unsigned generation_ = 0;
  std::unordered_map<std::uint64_t, CodeSite> known_;
  std::unordered_map<std::uint64_t, std::uint64_t> sizes_;
};

}  // namespace umaskaudit::tracer
