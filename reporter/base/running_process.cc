#include "reporter/base/running_process.h"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace umaskaudit {
namespace {

// By the fields of /proc/PID/stat, proc(5).
bool is_zombie(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  const std::size_t name = text.rfind(')');
  if (name == std::string::npos) return false;
  std::istringstream fields(text.substr(name + 1));
  std::string state, skipped, threads;
  fields >> state;
  for (int field = 4; field < 20; ++field) fields >> skipped;
  fields >> threads;
  // The first thread is a zombie, too, when it has ended and others still run: num_threads is more.
  return state == "Z" && threads == "1";
}

}  // namespace

bool is_running(pid_t pid) {
  return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

}  // namespace umaskaudit
