// Private directories: those that this run made, and the parent whose mode was recorded.
// Must never hold more than the run's own directories.
#include "reporter/rules/reach.h"

namespace umaskaudit::rules {
namespace {

// path_resolution(7): search permission on every directory of the path. Group members may still
// come in; that they may is said by the directory's own mode.
constexpr Mode kSearchByAny = 0011;

}  // namespace

void Reach::set(const std::string& path, Mode mode) {
  if (path.empty() || path.front() != '/') return;
  if ((mode & kSearchByAny) == 0)
    private_.insert(path);
  else
    private_.erase(path);
}

void Reach::see(const CreateEvent& event) {
  if (event.kind == trace::Kind::dir && event.error == 0 && event.final_mode)
    set(event.path, *event.final_mode);
}

void Reach::see(const ChmodEvent& event) {
  // A file's path in the set would be harmless, but useless.
  if (event.error != 0 || !event.final_mode) return;
  if (private_.count(event.path) != 0) set(event.path, *event.final_mode);
}

bool Reach::by_others(const CreateEvent& event) const {
  // Recorded modes of parents may be permission bits alone; 0 means not read.
  if (event.parent && event.parent->mode != 0 && (event.parent->mode & kSearchByAny) == 0)
    return false;
  if (private_.empty()) return true;
  for (std::size_t end = event.path.rfind('/'); end != std::string::npos && end > 0;
       end = event.path.rfind('/', end - 1))
    if (private_.count(event.path.substr(0, end)) != 0) return false;
  return true;
}

}  // namespace umaskaudit::rules
