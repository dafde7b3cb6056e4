// RunProcess: `umaskaudit run` as a child process, for `top`, which needs the terminal itself.
// Must never let CMD write to the screen, nor read its keys.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit::record {

class RunProcess {
 public:
  // Starts `umaskaudit run -o DIRECTORY -- COMMAND`. With `screen`, the terminal is ours: COMMAND
  // gets a session of its own and an empty standard input, and its output to a terminal is
  // discarded. Error: it cannot be started.
  static Result<RunProcess> start(const std::string& directory,
                                  const std::vector<std::string>& command, bool screen);

  // True when CMD has ended.
  bool ended();
  // Asks CMD to end (SIGTERM).
  void ask_to_end() const;
  // Waits for the end. Returns CMD's exit code.
  int wait();

 private:
  explicit RunProcess(pid_t pid) : pid_(pid) {}
  bool reap(int flags);

  pid_t pid_;
  std::optional<int> code_;
};

}  // namespace umaskaudit::record
