// What successful calls do to the fs context, however they were made (function or raw number).
// Async-signal-safe; errno stays.
#pragma once

namespace umaskaudit::shim {

// unshare(2): CLONE_FS, or a new mount or user name space, which imply it, give this thread an fs
// context of its own.
void note_unshare(int flags);

}  // namespace umaskaudit::shim
