// See both_walks.h.

#include "both_walks.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

namespace umaskaudit::testing_support {

BothWalks both;

namespace {

// libunwind remembers frames by their address: after dlclose(3) that is another's.
const int kNoMemory = unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE);

// unw_step(3) and not unw_backtrace(3): the latter has a memory of its own that cannot be put off.
[[gnu::always_inline]] inline void walk_theirs() {
  both.their_count = 0;
  unw_context_t context;
  unw_cursor_t cursor;
  unw_getcontext(&context);
  if (unw_init_local(&cursor, &context) != 0) return;
  while (both.their_count < BothWalks::kRoom && unw_step(&cursor) > 0) {
    unw_word_t pc = 0;
    unw_get_reg(&cursor, UNW_REG_IP, &pc);
    if (pc == 0) break;
    both.theirs[both.their_count++] = pc;
  }
}

}  // namespace

void walk_both() {
  both.walk = shim::walk_stack(UMASKAUDIT_STACK_START(), both.ours, BothWalks::kRoom);
  walk_theirs();
}

void walk_both_within(unsigned room) {
  both.walk = shim::walk_stack(UMASKAUDIT_STACK_START(), both.ours, room);
  walk_theirs();
}

}  // namespace umaskaudit::testing_support
