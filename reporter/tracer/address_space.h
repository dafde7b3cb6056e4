// AddressSpace: the memory of a traced process for its stacks: which file is mapped where, and how
// to walk from a frame to its caller.
// Must never stop the process, write to it, or trust a number in its tables. For a thread that the
// tracer has stopped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "reporter/tracer/remote_stack.h"

namespace umaskaudit::tracer {

class AddressSpace {
 public:
  // For one image of the process; make a new one after each exec. Reads nothing before it is
  // needed.
  explicit AddressSpace(pid_t pid);
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  // At most `depth` frames of the thread `tid`, stopped with `registers`.
  RemoteStack walk(pid_t tid, const Registers& registers, unsigned depth);

  // The module that contains an address, as an index that stays valid for the life of this object;
  // nothing for generated code. Reads the maps again if no known module contains it.
  std::optional<std::size_t> module_of(std::uint64_t address);
  const RemoteModule& module(std::size_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::tracer
