#include "reporter/base/running_process.h"

#include <signal.h>

#include <cerrno>
#include <string>
#include <vector>

#include "reporter/base/proc_stat.h"

namespace umaskaudit {
namespace {

bool is_zombie(pid_t pid) {
  constexpr std::size_t kState = 0, kThreads = 20 - 3;
  const std::vector<std::string> fields = stat_fields(std::to_string(pid));
  // The first thread is a zombie, too, when it has ended and others still run: num_threads is more.
  return fields.size() > kThreads && fields[kState] == "Z" && fields[kThreads] == "1";
}

}  // namespace

bool is_running(pid_t pid) {
  return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

}  // namespace umaskaudit
