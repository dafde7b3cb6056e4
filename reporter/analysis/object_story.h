// The life of one object in a run: made, renamed, chmod'ed, under whatever name.
// Must never follow a path on disk: names and inode numbers of the record decide.
// Called by `blame` and by `explain RUN PATH`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/reader/run.h"

namespace umaskaudit {

struct ObjectStory {
  std::optional<CreateEvent>
      creation;                      // nothing: it was made before or unseen, and renamed to PATH
  std::vector<Event> afterwards;     // ChmodEvent and RenameEvent, in order
  std::optional<UmaskEvent> setter;  // the change that set its mask; nothing: inherited
  std::string path;                  // the name it was last known by
};

// The stories of all objects that ever had the name `path` (absolute), oldest first. Objects that
// were renamed to it come with their creation under the older name.
std::vector<ObjectStory> object_stories(const Run& run, const std::string& path);

}  // namespace umaskaudit
