// See open_objects.h.
#include "reporter/objects/open_objects.h"

#include <sys/stat.h>

namespace umaskaudit {

OpenObjects::OpenObjects(const ObjectLives& lives) {
  lives.for_each([this](const ObjectLife& life) {
    const bool closed = life.kind == trace::Kind::dir && life.mode_known && (life.mode & 01) == 0;
    if (closed) closed_.insert(life.last_path);
  });
}

bool OpenObjects::is_reachable(const std::string& path) const {
  if (closed_.empty()) return true;
  for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0;
       end = path.rfind('/', end - 1))
    if (closed_.contains(path.substr(0, end))) return false;
  return true;
}

bool OpenObjects::contains(const ObjectLife& life) const {
  if (life.state != ObjectState::there || !life.mode_known) return false;
  const Mode mode = life.mode;
  const bool file = life.kind == trace::Kind::file || life.kind == trace::Kind::tmpfile;
  const bool privileged = file && (((mode & S_ISUID) != 0 && (mode & 0111) != 0) ||
                                   (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP));
  const bool meant =
      life.kind == trace::Kind::chardev || (life.kind == trace::Kind::dir && (mode & S_ISVTX) != 0);
  const bool writable = (mode & S_IWOTH) != 0 && !meant;
  return (writable || privileged) && is_reachable(life.last_path);
}

}  // namespace umaskaudit
