// A name of the library that LD_PRELOAD can carry: the list knows no quoting, and checkouts lie in
// folders like "My projects".
// Must never leave a link behind that nobody needs, nor take one away that a program may still
// load. Called by `run`.
#pragma once

#include <string>
#include <utility>

#include "reporter/base/result.h"

namespace umaskaudit {

class PreloadPath {
 public:
  // `library` itself where ld.so(8) can read it from the list, else a link to it in a directory of
  // its own below /tmp. Error: that cannot be made.
  static Result<PreloadPath> of(const std::string& library);

  const std::string& path() const { return path_; }
  // Removes what was made; when no program of the run is left that could execute another.
  void forget() const;

 private:
  PreloadPath(std::string path, std::string directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_, directory_;  // the second is empty without a link
};

}  // namespace umaskaudit
