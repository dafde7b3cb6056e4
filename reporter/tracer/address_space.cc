// Combines the walk and the modules; see address_space.h.

#include "reporter/tracer/address_space.h"

#include "reporter/tracer/stack_walk.h"

namespace umaskaudit::tracer {

struct AddressSpace::State {
  explicit State(pid_t pid) : modules(pid) {}
  RemoteModules modules;
  CodeSites sites;
  StackCopy stack;
};

AddressSpace::AddressSpace(pid_t pid) : state_(new State(pid)) {}
AddressSpace::~AddressSpace() = default;

RemoteStack AddressSpace::walk(pid_t tid, const Registers& registers, unsigned depth) {
  state_->modules.use(tid);
  return walk_remote({state_->modules, state_->sites, state_->stack}, ProcessMemory(tid), registers,
                     depth);
}

std::optional<std::size_t> AddressSpace::module_of(std::uint64_t address) {
  const Code code = state_->modules.at(address);
  if (code.image == nullptr) return std::nullopt;
  return code.module;
}

const RemoteModule& AddressSpace::module(std::size_t index) const {
  return state_->modules.module(index);
}

}  // namespace umaskaudit::tracer
