// Runs CMD as a child that cannot tell: same group, terminal, descriptors, signal set-up.
// Must never change what CMD inherits, and never die before CMD when a terminal signal meant CMD.
// Called by `run`.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit {

// What execvp(3) takes: pointers into `words`, which must live longer, and a null behind them.
std::vector<char*> exec_pointers(const std::vector<std::string>& words);

struct ChildEnd {
  pid_t pid = 0;
  int exec_error = 0;  // errno of execvp(3); not 0: CMD never ran
  int exit_code = 0;   // CMD's own when it exited
  int signal = 0;      // what killed it, else 0

  // CMD's own code, 128+N for a signal. Of no use when CMD never ran.
  int code() const;
};

// As long as it lives, a file that reaches RLIMIT_FSIZE is an error of ours (EFBIG) and no SIGXFSZ;
// CMD inherits what was there before. One at a time.
class FileSizeErrors {
 public:
  FileSizeErrors();
  ~FileSizeErrors();
  FileSizeErrors(const FileSizeErrors&) = delete;
  FileSizeErrors& operator=(const FileSizeErrors&) = delete;
};

// Starts `command` (found through PATH) with `environment` ("KEY=value" strings) and waits for it.
// SIGINT and SIGQUIT are ignored meanwhile (the terminal sends them to CMD itself), SIGTERM and
// SIGHUP are handed on. `in_child` is called in the child just before, `started` here once CMD
// runs. Error: no process could be made.
Result<ChildEnd> run_child(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment,
                           const std::function<void()>& started = {},
                           const std::function<void()>& in_child = {});

}  // namespace umaskaudit
