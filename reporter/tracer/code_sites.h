// Examines the instructions around a code address, for code without unwind tables.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "reporter/tracer/process_memory.h"

namespace umaskaudit::tracer {

struct CodeSite {
  bool behind_call = false;    // the instruction before it is a call, so it may be a return address
  std::uint64_t target = 0;    // of that call; 0: indirect
  bool signal_return = false;  // it begins rt_sigreturn(2): the return address of a signal handler
};

class CodeSites {
 public:
  // `generation`: the cache is cleared when it changes.
  CodeSite at(ProcessMemory memory, std::uint64_t address, unsigned generation);

  // The distance from the stack pointer to the caller's when this code was last walked: most
  // functions change the stack pointer only at their begin and end. 0: not known.
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
