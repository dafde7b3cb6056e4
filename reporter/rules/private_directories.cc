// Directories that keep others out: those that this run made, and parents whose mode was recorded.
// Must never hold more than the directories of the run.
#include "reporter/rules/private_directories.h"

namespace umaskaudit::rules {
namespace {

// path_resolution(7): search permission on every directory of the path.
constexpr Mode kSearchByOthers = 0001;
constexpr Mode kSearchByGroup = 0010;

}  // namespace

void PrivateDirectories::set(std::string_view path, Mode mode) {
  if (path.empty() || path.front() != '/') return;
  if ((mode & kSearchByOthers) == 0)
    closed_.insert_or_assign(std::string(path), mode);
  else if (!closed_.empty())
    if (const auto found = closed_.find(path); found != closed_.end()) closed_.erase(found);
}

void PrivateDirectories::see(const CreateEvent& event) {
  if (event.error != 0) return;
  // A recorded parent's mode may be the permission bits alone; 0: it was not read.
  if (event.parent && event.parent->mode != 0) {
    const std::string_view path = event.path;
    const std::size_t slash = path.rfind('/');
    if (slash != std::string_view::npos && slash != 0)
      set(path.substr(0, slash), event.parent->mode);
  }
  if (event.kind == trace::Kind::dir && event.created != trace::Created::no && event.final_mode)
    set(event.path, *event.final_mode);
}

void PrivateDirectories::see(const ChmodEvent& event) {
  if (event.error != 0 || !event.final_mode) return;
  // Below what is no directory nothing can lie: most of those are known by their mode, and it would
  // cost memory to remember them.
  const bool like_directory = (*event.final_mode & 0100) != 0;
  if (like_directory || closed_.count(event.path) != 0) set(event.path, *event.final_mode);
}

void PrivateDirectories::see(const RenameEvent& event) {
  if (event.error != 0 || event.action != RenameEvent::Action::renamed || closed_.empty()) return;
  closed_.erase(event.to);  // it was replaced
  auto moved = closed_.extract(event.from);
  if (moved.empty()) return;
  moved.key() = event.to;
  closed_.insert(std::move(moved));
}

Mode PrivateDirectories::let_in(Mode directory) {
  if ((directory & kSearchByOthers) != 0) return 0077;
  return (directory & kSearchByGroup) != 0 ? 0070 : 0;
}

Mode PrivateDirectories::of(const CreateEvent& event) const {
  const std::string& path = event.path;
  if (path.empty() || path.front() != '/')  // its directory is known by its mode alone
    return event.parent && event.parent->mode != 0 ? let_in(event.parent->mode) : 0077;
  return of(path);
}

Mode PrivateDirectories::of(const std::string& path) const {
  Mode bits = 0077;
  if (closed_.empty() || path.empty() || path.front() != '/') return bits;
  for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0;
       end = path.rfind('/', end - 1)) {
    const auto found = closed_.find(std::string_view(path).substr(0, end));
    if (found == closed_.end()) continue;
    bits &= let_in(found->second);
    if (bits == 0) break;
  }
  return bits;
}

}  // namespace umaskaudit::rules
