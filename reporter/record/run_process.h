// `run` as a process of its own, for a command that needs the terminal for itself.
// Must never let CMD write into somebody's screen, nor take its keys.
// Called by `top`.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit {

class RunProcess {
 public:
  // Starts `umaskaudit run -o DIRECTORY -- COMMAND`. With `screen`, the terminal is ours: COMMAND
  // gets a session of its own, an empty standard input, and what it prints on a terminal is
  // dropped. Error: it cannot be started.
  static Result<RunProcess> start(const std::string& directory,
                                  const std::vector<std::string>& command, bool screen);

  // True when CMD has ended.
  bool ended();
  // Asks CMD to end (SIGTERM).
  void ask_to_end() const;
  // Waits for the end. CMD's exit code as `run` passes it on.
  int wait();

 private:
  explicit RunProcess(pid_t pid) : pid_(pid) {}
  bool reap(int flags);

  pid_t pid_;
  std::optional<int> code_;
};

}  // namespace umaskaudit
