// RemoteStack: a stack of a traced process, and the modules of its frames.
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

// The facts of a trace::Module.
struct RemoteModule {
  std::string path;      // the process's name for it
  std::string build_id;  // raw bytes; empty: none
  std::uint64_t base;    // load bias: run-time address - ELF address
  std::uint64_t start, end;
};

struct RemoteStack {
  std::vector<std::uint64_t> pcs;  // innermost first: the pc itself, then return addresses
  bool truncated = false;          // cut at `depth`
  bool guessed = false;            // frame pointers were followed somewhere
};

}  // namespace umaskaudit::tracer
