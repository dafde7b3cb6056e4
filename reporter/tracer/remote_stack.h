// A stack of a traced process, and the files that its frames are in.
// Called by all of the walk, and by the tracer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace umaskaudit::tracer {

struct Registers {
  std::uint64_t pc;
  std::uint64_t sp;
  std::uint64_t fp;  // rbp; x29
};

// As trace::Module has it.
struct RemoteModule {
  std::string path;      // as the process names it
  std::string build_id;  // raw bytes; empty: none
  std::uint64_t base;    // load bias: run-time address - ELF address
  std::uint64_t start, end;
};

struct RemoteStack {
  std::vector<std::uint64_t> pcs;  // innermost first: the pc itself, then return addresses
  bool truncated = false;          // `depth` was reached
  bool guessed = false;            // frame pointers were followed somewhere
};

}  // namespace umaskaudit::tracer
