// Runs CMD as a child process that cannot notice: same group, terminal, descriptors, signal set-up.
// Must never change what CMD inherits, nor end before CMD when a terminal signal was meant for CMD.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit::record {

// The argument array of execvp(3): pointers into `words`, which must live longer, and a null.
std::vector<char*> exec_pointers(const std::vector<std::string>& words);

struct ChildEnd {
  pid_t pid = 0;
  int exec_error = 0;  // errno of execvp(3); not 0: CMD never ran
  int exit_code = 0;   // CMD's own when it exited
  int signal = 0;      // what killed it, else 0

  // CMD's exit code, 128+N for a signal. Undefined if CMD never ran.
  int code() const;
};

// While it exists, a write beyond RLIMIT_FSIZE is an error (EFBIG) in this process and not SIGXFSZ;
// CMD inherits the previous disposition. One at a time.
class FileSizeErrors {
 public:
  FileSizeErrors();
  ~FileSizeErrors();
  FileSizeErrors(const FileSizeErrors&) = delete;
  FileSizeErrors& operator=(const FileSizeErrors&) = delete;
};

// Starts `command` (found through PATH) with `environment` ("KEY=value" strings) and waits for it.
// SIGINT and SIGQUIT are ignored meanwhile (the terminal sends them to CMD itself), SIGTERM and
// SIGHUP are forwarded. `in_child` is called in the child before exec, `started` here once CMD
// runs. Error: fork(2) failed.
Result<ChildEnd> run_child(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment,
                           const std::function<void()>& started = {},
                           const std::function<void()>& in_child = {});

}  // namespace umaskaudit::record
