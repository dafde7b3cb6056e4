// A library whose constructor registers fork handlers before anybody else's, which change the mask.
// Ground truth: none of its own; fork_handlers looks at what came of it.
// Linked by fork_handlers.
#include "victim.h"

extern "C" {
int fork_handlers_registered = 0;
}

namespace {

// Registered first: runs last before the fork, and first after it.
void move_mask_and_back() { umask(umask(0077)); }

}  // namespace

__attribute__((constructor)) static void first() {
  fork_handlers_registered =
      pthread_atfork(move_mask_and_back, move_mask_and_back, move_mask_and_back) == 0 ? 1 : 0;
  umask(0022);
}
