// A cache of walks: when the words that decided an earlier walk are still on the stack, the stack
// is the same one, and its id is known without a walk.
// Must never read memory that may have been unmapped, nor wait: signal handlers and threads use it
// concurrently.
//
// Worked example. umask(2) is called by f, f by g, g by main. The first walk reads three words, the
// return addresses, at known distances from the stack pointer:
//
//     pc=f+0x1f sp=0x7f..e0   distance 0x18 -> g+0x40   0x58 -> main+0x9   0x98 -> start+0x2a
//
// cache_stack() stores (pc, sp, these three pairs) with the stack's id, 7. At the next call from
// f+0x1f with the same sp, cached_stack() re-reads the three words, in the order of the walk: all
// are equal, so the walk would find stack 7 again. If f was called by h instead, the word at 0x18
// is h+0x12: the second and third are not read (they may be in frames that do not exist), the entry
// is no match, and a walk follows. That word's index is kept as `last_mismatch` and is tested first
// the next time.
//
// An entry is found by (pc, sp) in a set of eight. A function that is called by more callers than
// that would replace entries that it needs soon: once a set's miss balance reaches kThrashing, only
// every kReplaceEvery-th miss replaces an entry, so that some calls hit again.
#pragma once

#include <cstdint>

#include "preload/unwind/memory.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// The id of the stack that a walk from `start` would find, by re-reading the words that the walk
// would read. 0: not in the cache. `generation` changes when code addresses may name other code.
std::uint32_t cached_stack(const StackStart& start, std::uint32_t generation);

// Adds the result of a walk, replacing another entry. No effect when `words` are not all that the
// walk read. `space` (unwind/cfi.h) is overwritten.
void cache_stack(const StackStart& start, std::uint32_t generation, const WalkWords& words,
                 std::uint32_t id, RuleSpace& space);

}  // namespace umaskaudit::shim
