// Recognises commands that start another program: which word of the command that is, and what they
// change for it.
// Must never run or look up anything: words only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace umaskaudit::inspect {

struct Launch {
  std::size_t program = 0;          // index of that program; 0: none
  bool cleans_environment = false;  // LD_PRELOAD does not reach it
  bool changes_user = false;        // the program runs as another user, or may do so
  bool changes_root = false;        // in another root directory
};

// Knows chroot(8), env(1), gosu(1), nice(1), nohup(1), runuser(1), setpriv(1), setsid(1),
// start-stop-daemon(8), stdbuf(1), su(1), su-exec(1), sudo(8), timeout(1): their own options are
// skipped as documented. Nothing for other programs.
Launch started_program(const std::vector<std::string>& command);

}  // namespace umaskaudit::inspect
