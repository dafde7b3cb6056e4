// Which objects are open to other people at the end of a run.
// Must never call an object open that lies below a directory of the run which others cannot enter.
#pragma once

#include <string>
#include <unordered_set>

#include "reporter/objects/object_lives.h"

namespace umaskaudit {

// Whom the mode lets write, with nothing that says that they are meant to: null, zero, tty are for
// everybody; a sticky directory is shared on purpose; a group is the usual answer for a server's
// socket, whose mode says who may connect. S_IWOTH and S_IWGRP at most.
Mode writers(Mode mode, trace::Kind kind);
// Set-user-ID, and set-group-ID of a program: without the group's execute bit it is none, but a
// sign of mandatory locking (inode(7)).
Mode setid(Mode mode, trace::Kind kind);

class OpenObjects {
 public:
  // Takes the directories as they are at the end.
  explicit OpenObjects(const ObjectLives& lives);

  // Others may write it, or it is a program with set-user-ID or set-group-ID, and others can get
  // there. A directory with the sticky bit is shared on purpose, a device is for everybody.
  // `life` with its last path.
  bool contains(const ObjectLife& life) const;

 private:
  bool is_reachable(const std::string& path) const;

  std::unordered_set<std::string> closed_;  // directories that others may not search
};

}  // namespace umaskaudit
