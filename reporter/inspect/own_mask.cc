// Reads the mask in two ways; see own_mask.h.
#include "reporter/inspect/own_mask.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "reporter/inspect/proc_status.h"

namespace umaskaudit::inspect {
namespace {

// fork(2) copies the fs context, so the child's umask call affects only the child. Nine bits do not
// fit in an exit status, so they are returned through a pipe.
std::optional<Mode> mask_from_child() {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    const Mode mask = ::umask(0);
    ::_exit(::write(ends[1], &mask, sizeof mask) == static_cast<ssize_t>(sizeof mask) ? 0 : 1);
  }
  ::close(ends[1]);
  Mode mask = 0;
  const bool whole =
      child > 0 && ::read(ends[0], &mask, sizeof mask) == static_cast<ssize_t>(sizeof mask);
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return whole ? std::optional<Mode>(mask) : std::nullopt;
}

}  // namespace

Result<Mode> own_mask() {
  if (const std::optional<std::uint32_t> mask = umask_of_process("self")) return *mask;
  if (const std::optional<Mode> mask = mask_from_child()) return *mask;
  return Error{"cannot read the umask", "neither /proc nor a child process", "mount /proc",
               ExitCode::internal};
}

}  // namespace umaskaudit::inspect
