// StackSource: looks up the stacks that events refer to, in a finished run or a growing one. Must
// never be used longer than the reader behind it.
#pragma once

#include <optional>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/script_stack.h"

namespace umaskaudit {

class StackSource {
 public:
  virtual ~StackSource() = default;
  // Native frames of a stack, innermost first; empty when there is none or it was lost.
  virtual std::vector<RawFrame> stack(StackRef ref) const = 0;
  // The script frames of the stack; nothing for a native stack.
  virtual std::optional<ScriptStack> script(StackRef ref) const = 0;
  // Whether native or script frames are cut at the outer end.
  virtual bool stack_truncated(StackRef ref) const = 0;
  // The stack of the call that started the program of a segment; id 0: not known.
  virtual StackRef started(std::uint32_t segment) const = 0;
  // The process of a segment's program, whose id names its generated code. 0: unknown.
  virtual std::uint32_t pid(std::uint32_t segment) const = 0;
  // The language runtimes of all processes, each once.
  virtual std::vector<ScriptRuntime> runtimes() const = 0;
  // Nothing is returned for module 0 or an id that was lost.
  virtual const ModuleInfo* module(std::uint32_t segment, std::uint32_t id) const = 0;

 protected:
  StackSource() = default;
  StackSource(const StackSource&) = default;
  StackSource(StackSource&&) = default;
  StackSource& operator=(const StackSource&) = default;
  StackSource& operator=(StackSource&&) = default;
};

}  // namespace umaskaudit
