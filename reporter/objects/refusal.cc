// path_resolution(7): every directory of the path must let the caller search it, and the last one
// must let it write. See refusal.h.
#include "reporter/objects/refusal.h"

#include <algorithm>
#include <cerrno>

namespace umaskaudit {
namespace {

constexpr Mode kSearch = 0111;
constexpr Mode kWriteAndSearch = 0333;
constexpr Mode kOwner = 0700;

}  // namespace

std::optional<Refusal> refusal_of(const CreateEvent& event, const ObjectLives& lives) {
  if (event.error != EACCES) return std::nullopt;
  const std::string path = file_path(event.kind, event.path);
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return std::nullopt;
  // O_TMPFILE (open(2)) names the directory itself.
  const bool unnamed = event.kind == trace::Kind::tmpfile;
  const std::size_t last = unnamed ? end + 1 : path.rfind('/', end);
  if (last == std::string::npos || last == 0) return std::nullopt;
  std::optional<Refusal> found;
  std::size_t at = 0;
  do {
    at = std::min(path.find('/', at + 1), last);
    const ObjectLife* life = lives.find(lives.at(path.substr(0, at)));
    if (life == nullptr || life->kind != trace::Kind::dir || !life->mode_known) continue;
    const Mode lacking = (at == last ? kWriteAndSearch : kSearch) & ~life->mode;
    // The topmost directory that denies access to anyone; preferably one that denies it to its
    // owner, who most likely created what is below.
    if (lacking == 0 || (found && (lacking & kOwner) == 0)) continue;
    found.emplace();
    found->directory = lives.path(*life);
    found->mode = life->mode;
    found->directly_above = at == last;
    if (life->mode == life->born_mode)
      found->born_mask = life->born_mask;
    else
      found->changed_by = life->settled_by.call;
    if ((lacking & kOwner) != 0) break;
  } while (at != last);
  return found;
}

}  // namespace umaskaudit
