// Remembers whole walks: the same words at the same places are the same stack.
// Must never answer from a memory that may have gone, nor wait: handlers and threads meet here.
// Called by stacks.cc only.
#pragma once

#include <cstdint>

#include "preload/unwind/memory.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// The id of the stack that a walk from `start` would find, from re-reading the words that it would
// depend on. 0: not known. `generation` counts what makes code addresses mean other code.
std::uint32_t cached_stack(const StackStart& start, std::uint32_t generation);

// Keeps what a walk found; replaces another one. Nothing, when `words` are not the whole of it.
// `space` (unwind/cfi.h) is overwritten.
void cache_stack(const StackStart& start, std::uint32_t generation, const WalkWords& words,
                 std::uint32_t id, RuleSpace& space);

}  // namespace umaskaudit::shim
