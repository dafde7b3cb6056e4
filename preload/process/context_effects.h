// What successful calls do to the fs context, however they were made (function or raw number).
// Async-signal-safe; errno stays.
#pragma once

#include <cstdint>

#include "preload/sys/real.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// Before and after unshare(2): CLONE_FS, or a new mount or user name space, which imply it, give
// this thread an fs context of its own. A thread that nobody has seen yet is first put where it
// comes from.
void expect_unshare(int flags);
void note_unshare(int flags);

// prctl(2) or pthread_setname_np(3): names are read again.
void note_thread_renamed();

// Around chroot(2): the new root's name has to be found before it is moved to. Async-signal-safe.
class RootMove {
 public:
  explicit RootMove(const char* path);
  void succeeded(Call call);

 private:
  const char* path_;
  Scratch name_;
  std::uint32_t length_ = 0;
};

// Around setns(2): another mount name space brings its root along; the mask stays.
class NameSpaceMove {
 public:
  NameSpaceMove();
  void succeeded() const;

 private:
  std::uint64_t from_ = 0;  // 0: not known
};

// The root is another one, with no name from here. `how` is the call's name.
void note_root_lost(Call call, const char* how);

}  // namespace umaskaudit::shim
