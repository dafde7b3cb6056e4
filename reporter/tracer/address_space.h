// The memory of a traced process as its stacks need it: which file lies where, and how to walk from
// a frame to its caller.
// Must never stop the process, write to it, or trust a number of its tables.
// Called by the tracer, for a thread that it has stopped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "reporter/tracer/remote_stack.h"

namespace umaskaudit::tracer {

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
