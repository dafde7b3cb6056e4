// Updates the fs context after calls that change it, whether by function or by raw number.
// Async-signal-safe; errno stays.
#pragma once

#include <cstdint>

#include "preload/sys/real.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// Around unshare(2): CLONE_FS, or a new mount or user name space, which imply it, give this thread
// an fs context of its own. A thread without events so far first gets the context that it started
// in.
void expect_unshare(int flags);
void note_unshare(int flags);

// After prctl(2) or pthread_setname_np(3): thread names are read again.
void note_thread_renamed();

// Around chroot(2): the name of the new root is read before the call, from outside.
// Async-signal-safe.
class RootMove {
 public:
  explicit RootMove(const char* path);
  void succeeded(Call call);

 private:
  const char* path_;
  Scratch name_;
  std::uint32_t length_ = 0;
};

// Around setns(2): another mount name space has another root; the mask stays.
class NameSpaceMove {
 public:
  NameSpaceMove();
  void succeeded() const;

 private:
  std::uint64_t from_ = 0;  // 0: not known
};

// The root changed to one without a name here. `how` is the call's name.
void note_root_lost(Call call, const char* how);

}  // namespace umaskaudit::shim
