// The umask shape: makes the call, compares its result with the cache, and records it.
// Must never read the mask by writing it, nor hold the context's lock while recording.
#pragma once

#include <sys/types.h>

#include "preload/mask/fs_context.h"
#include "preload/sys/real.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// Makes the call through `real` and records it. Async-signal-safe, like umask(2).
mode_t change_and_record_mask(mode_t mask, mode_t (*real)(mode_t), const StackStart& stack);

// For a creation whose mode the mask does not explain. If the kernel's mask differs from the cache,
// records the drift and returns true; `believed` then holds the kernel's mask.
[[gnu::cold]] bool record_unseen_change(const Task& task, Call creation, Snapshot& believed);

}  // namespace umaskaudit::shim
