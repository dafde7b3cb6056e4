// OpenObjects: finds objects that other users can write to at the end of a run.
// Must never include an object below a directory of the run which others cannot enter.
#pragma once

#include <string>
#include <unordered_set>

#include "reporter/objects/object_lives.h"

namespace umaskaudit {

// The write bits for others, unless there is a sign that they are intended: null, zero, tty are for
// everyone; a sticky directory is shared on purpose; a group is the usual way to let clients
// connect to a server's socket. S_IWOTH and S_IWGRP at most.
Mode writers(Mode mode, trace::Kind kind);
// Set-user-ID, and set-group-ID of a program: without the group's execute bit it does not mean
// that, but mandatory locking (inode(7)).
Mode setid(Mode mode, trace::Kind kind);

class OpenObjects {
 public:
  // Uses the directories as they are at the end.
  explicit OpenObjects(const ObjectLives& lives);

  // Others may write to it, or it is a program with set-user-ID or set-group-ID, and others can
  // reach it. A directory with the sticky bit is shared on purpose, a device is for everyone.
  // `life` has its last path.
  bool contains(const ObjectLife& life) const;

 private:
  bool is_reachable(const std::string& path) const;

  std::unordered_set<std::string> closed_;  // directories that others may not search
};

}  // namespace umaskaudit
