// The umask shape: change, compare with the cache, record.
// Must never read the mask by writing it, nor hold the context's lock while recording.
#pragma once

#include <sys/types.h>

#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// Makes the call through `real` and records it. Async-signal-safe, like umask(2).
mode_t change_and_record_mask(mode_t mask, mode_t (*real)(mode_t), const StackStart& stack);

}  // namespace umaskaudit::shim
