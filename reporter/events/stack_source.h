// Where the stacks that events name are looked up: a run that is read back, or one that grows.
// Must never be kept longer than the reader behind it. Asked by the symbolizer and the renderers.
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
  // What a runtime ran there; nothing for a stack that is native only.
  virtual std::optional<ScriptStack> script(StackRef ref) const = 0;
  // At its outer end, of native frames or of those of a script.
  virtual bool stack_truncated(StackRef ref) const = 0;
  // The stack of the call that started the program of a segment; id 0: not known.
  virtual StackRef started(std::uint32_t segment) const = 0;
  // The process whose program a segment is of: generated code is named by its number. 0: unknown.
  virtual std::uint32_t pid(std::uint32_t segment) const = 0;
  // The runtimes of languages that the processes had, each once.
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
