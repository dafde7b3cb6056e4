// One stack, walked twice: by the shim and by libunwind, which shares no code with it.
// Must never allocate: also called in signal handlers.
#pragma once

#include <cstdint>

#include "preload/unwind/unwind.h"

namespace umaskaudit::testing_support {

struct BothWalks {
  static constexpr unsigned kRoom = 512;
  shim::StackWalk walk;  // the shim's
  std::uintptr_t ours[kRoom];
  unsigned their_count;
  std::uintptr_t theirs[kRoom];

  // How many frames agree, from the innermost on.
  unsigned agreeing() const {
    unsigned count = 0;
    while (count < walk.count && count < their_count && ours[count] == theirs[count]) ++count;
    return count;
  }
  bool equal() const { return walk.count == their_count && agreeing() == walk.count; }
};

// Walks the caller's stack: the first frame is where the caller called. The result stays until the
// next call.
[[gnu::noinline]] void walk_both();
extern BothWalks both;

// The same with little room for the shim's walk.
[[gnu::noinline]] void walk_both_within(unsigned room);

}  // namespace umaskaudit::testing_support
