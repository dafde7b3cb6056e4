// See object_query.h.
#include "reporter/commands/object_query.h"

#include <sys/stat.h>

#include <filesystem>

#include "reporter/objects/local_links.h"

namespace umaskaudit {

ObjectQuery query_of(const std::string& path, const Run& run) {
  std::error_code ignored;
  ObjectQuery query;
  query.path = normal_path(std::filesystem::absolute(path, ignored).string());
  struct stat facts {};
  if (!is_packed(run) && stat(query.path.c_str(), &facts) == 0) {
    query.dev = facts.st_dev;
    query.ino = facts.st_ino;
  }
  query.links = local_links(run);
  return query;
}

}  // namespace umaskaudit
