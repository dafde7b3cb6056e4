#include "reporter/record/preload_path.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace umaskaudit::record {

Result<PreloadPath> PreloadPath::of(const std::string& library) {
  if (library.find_first_of(": \t\n") == std::string::npos) return PreloadPath(library, "");
  std::string directory = "/tmp/umaskaudit.XXXXXX";
  const bool made = mkdtemp(directory.data()) != nullptr;
  PreloadPath name(directory + "/libumaskaudit.so", directory);
  // Programs of the run may change their user, and still have to load it.
  if (made && chmod(directory.c_str(), 0711) == 0 &&
      symlink(library.c_str(), name.path_.c_str()) == 0)
    return name;
  const int error = errno;
  if (made) name.forget();
  return Error{"cannot preload '" + library + "'",
               std::string("LD_PRELOAD allows no blank and no colon, and for a link in /tmp: ") +
                   std::strerror(error),
               "another folder for the library", ExitCode::internal};
}

void PreloadPath::forget() const {
  if (directory_.empty()) return;
  unlink(path_.c_str());
  rmdir(directory_.c_str());
}

}  // namespace umaskaudit::record
