// Reads what the parent directory contributes to a mode: setgid, group, default ACL, filesystem.
// Must never change errno or keep a descriptor. Called for successful creations only, whose path is
// known to be readable.
#pragma once

#include <fcntl.h>

#include <cstdint>

#include "preload/mask/fs_context.h"
#include "preload/record/parent_view.h"
#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// The directory that a relative path starts from.
struct Base {
  std::uint32_t id = 0;  // in the trace. 0: absolute path, or not known
  int dirfd = AT_FDCWD;
};

// `buffer` is for long names.
Base find_base(const Author& author, const Task& task, int dirfd, const char* path,
               const Scratch& buffer);
// The same for what is to be recorded: where `path` leads through a link of proc(5) (proc_links.h),
// it becomes the part behind that.
Base find_recorded_base(const Author& author, const Task& task, int dirfd, const char*& path,
                        const Scratch& buffer);

// The target of a path whose last component is a symbolic link.
struct LinkTarget {
  const char* text = "";     // absolute, or relative to the same directory; in the buffer
  std::uint32_t length = 0;  // 0: no link, or its target has no name
};
// Follows links to the end. `fd`: a descriptor of the object, whose name proc(5) has; -1: none.
// Async-signal-safe, changes no errno.
LinkTarget link_target(int dirfd, const char* path, int fd, const Scratch& buffer);
// The target's path id.
std::uint32_t record_target(const Author& author, const LinkTarget& target);

// The length of the part of `path` that names its directory; 0: the one that it starts from.
std::uint32_t parent_length(const char* path, std::uint32_t length);

// The facts of the directory named by the first `length` bytes of `path`. Read once for each name
// and process; again when `surprising` is set: the mode is not the one that mask and request
// explain.
ParentView look_at_parent(const Author& author, const Base& base, const char* path,
                          std::uint32_t length, bool surprising);

// After a default ACL was set or removed: cached facts may be outdated.
void forget_parents();

}  // namespace umaskaudit::shim
