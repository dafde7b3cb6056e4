// What the parent directory contributes to a mode: setgid, group, default ACL, filesystem.
// Must never change errno or keep a descriptor. Called for successful creations only: then the
// path is known to be readable.
#pragma once

#include <fcntl.h>

#include <cstdint>

#include "preload/mask/fs_context.h"
#include "preload/record/parent_view.h"
#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// Where a path starts from.
struct Base {
  std::uint32_t id = 0;  // in the trace. 0: absolute path, or not known
  int dirfd = AT_FDCWD;
};

// `buffer` is used for long names.
Base find_base(const Author& author, const Task& task, int dirfd, const char* path,
               const Scratch& buffer);

// What the last component of a path leads to when it is a symbolic link.
struct LinkTarget {
  const char* text = "";     // absolute, or from where the path starts; in the buffer
  std::uint32_t length = 0;  // 0: it is no link, or its target cannot be named
};
// Follows links until none is left. `fd`: a descriptor of the object, whose name the kernel has
// (proc(5)); -1: none. Async-signal-safe, changes no errno.
LinkTarget link_target(int dirfd, const char* path, int fd, const Scratch& buffer);
// Its id in the trace.
std::uint32_t record_target(const Author& author, const LinkTarget& target);

// How much of `path` names the directory that it lies in; 0: the directory where it begins.
std::uint32_t parent_length(const char* path, std::uint32_t length);

// The directory that the first `length` bytes of `path` name. Looked at once per name and process;
// again when `surprising`: the mode that came out is not what mask and request alone would give.
ParentView look_at_parent(const Author& author, const Base& base, const char* path,
                          std::uint32_t length, bool surprising);

// After a default ACL was set or removed: what was looked at may have changed.
void forget_parents();

}  // namespace umaskaudit::shim
