// The memory of a traced process as its stacks need it: which file lies where, and how to walk from
// a frame to its caller.
// Must never stop the process, write to it, or trust a number of its tables.
// Called by the tracer, for a thread that it has stopped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
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

class AddressSpace {
 public:
  // Of an image of the process; a new one after each exec. Nothing is read before it is needed.
  explicit AddressSpace(pid_t pid);
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  // At most `depth` frames of the thread `tid`, stopped with `registers`.
  RemoteStack walk(pid_t tid, const Registers& registers, unsigned depth);

  // The module that holds an address, as an index that stays its own for the life of this; nothing
  // for generated code. Asks for the maps again when the address lies in none that is known.
  std::optional<std::size_t> module_of(std::uint64_t address);
  const RemoteModule& module(std::size_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::tracer
