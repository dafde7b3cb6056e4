#include "reporter/commands/object_query.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "reporter/objects/local_links.h"

namespace umaskaudit::commands {

analysis::ObjectQuery query_of(const std::string& path, const reader::Run& run) {
  std::error_code ignored;
  analysis::ObjectQuery query;
  query.path = normal_path(std::filesystem::absolute(path, ignored).string());
  struct stat facts {};
  if (!is_packed(run) && stat(query.path.c_str(), &facts) == 0) {
    query.dev = facts.st_dev;
    query.ino = facts.st_ino;
  }
  query.links = local_links(run);
  return query;
}

const UnrecordedObject* find_unrecorded(const analysis::UnrecordedObjects& objects,
                                        const analysis::ObjectQuery& query) {
  for (const UnrecordedObject& one : objects.objects) {
    const bool same = query.ino != 0 && one.ino == query.ino && one.dev == query.dev;
    const auto& more = one.more_names;
    if (same || one.path == query.path ||
        std::find(more.begin(), more.end(), query.path) != more.end())
      return &one;
  }
  return nullptr;
}

}  // namespace umaskaudit::commands
