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

 private:
  unsigned generation_ = 0;
  std::unordered_map<std::uint64_t, CodeSite> known_;
};

}  // namespace umaskaudit::tracer
