// Programs that start another one: which word of a command is that, and what they do on the way.
// Must never run or look up anything: words only.
// Called by `doctor`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace umaskaudit {

struct Launch {
  std::size_t program = 0;          // index of the started program's word; 0: none is
  bool cleans_environment = false;  // LD_PRELOAD does not get through
  bool changes_user = false;        // the program runs as another user, or may do so
  bool changes_root = false;        // in another root directory
};

// For chroot(8), env(1), gosu(1), nice(1), nohup(1), runuser(1), setpriv(1), setsid(1),
// start-stop-daemon(8), stdbuf(1), su(1), su-exec(1), sudo(8), timeout(1): their own options are
// skipped as they document them. Nothing for any other program.
Launch started_program(const std::vector<std::string>& command);

}  // namespace umaskaudit
