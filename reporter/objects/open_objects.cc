#include "reporter/objects/open_objects.h"

#include <sys/stat.h>

namespace umaskaudit {

Mode writers(Mode mode, trace::Kind kind) {
  const bool directory = kind == trace::Kind::dir || kind == trace::Kind::unknown;
  if (kind == trace::Kind::chardev || (directory && (mode & S_ISVTX) != 0)) return 0;
  return mode & (kind == trace::Kind::socket ? S_IWOTH : S_IWOTH | S_IWGRP);
}

Mode setid(Mode mode, trace::Kind kind) {
  if (kind != trace::Kind::file && kind != trace::Kind::tmpfile) return 0;
  const bool set_gid = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  return (mode & S_ISUID) | (set_gid ? Mode{S_ISGID} : 0);
}

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
  const bool writable = (writers(life.mode, life.kind) & S_IWOTH) != 0;
  const bool privileged = setid(life.mode, life.kind) != 0 && (life.mode & 0111) != 0;
  return (writable || privileged) && is_reachable(life.last_path);
}

}  // namespace umaskaudit
