// PreloadPath: a path of the library that LD_PRELOAD can hold: its list has no quoting, and
// directories may have names like "My projects".
// Must never leave an unused link behind, nor remove one that a program may still load.
#pragma once

#include <string>
#include <utility>

#include "reporter/base/result.h"

namespace umaskaudit::record {

class PreloadPath {
 public:
  // `library` itself if ld.so(8) can parse it in the list, else a link to it in a new directory
  // below /tmp. Error: that cannot be created.
  static Result<PreloadPath> of(const std::string& library);

  const std::string& path() const { return path_; }
  // Removes the link; call when no program of the run is left that could exec.
  void forget() const;

 private:
  PreloadPath(std::string path, std::string directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_, directory_;  // the second is empty without a link
};

}  // namespace umaskaudit::record
