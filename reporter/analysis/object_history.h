// The history of one object in a run: made, renamed, changed, under whatever name.
// Must never follow a path on a disk by itself: the record decides, and `links` and the numbers of
// an ObjectQuery say what the disk adds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/objects/object_lives.h"
#include "reporter/objects/refusal.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

struct ObjectHistory {
  std::optional<CreateEvent>
      creation;                        // nothing: it was made before or unseen, and renamed to PATH
  std::vector<Event> afterwards;       // ChmodEvent and RenameEvent, in order
  std::optional<UmaskEvent> setter;    // the call that chose its mask; nothing: inherited
  std::optional<UmaskEvent> put_back;  // the call that set it last, where that only put it back
  std::string path;                    // its name now, or the last one that it had
  std::vector<std::string> names;      // all that it has now, oldest first
  ObjectState state = ObjectState::there;
  std::optional<Mode> mode;  // that the run left it with
};

struct ObjectQuery {
  std::string path;  // absolute, or the name of a POSIX IPC object ("/NAME")
  // Of what `path` is on disk now: asked when no object of the run had that name. 0: not known.
  std::uint64_t dev = 0, ino = 0;
  NameTree::Links links{};  // see ObjectLives
};

// The histories of all objects that ever had this name: first the one that has it now, then the
// others, oldest first. Objects that were renamed to it come with their creation under the older
// name.
std::vector<ObjectHistory> object_histories(const Run& run, const ObjectQuery& query);

// Calls that would have made the object, and failed.
struct FailedAttempt {
  CreateEvent event;
  std::optional<Refusal> refusal;
};
struct FailedAttempts {
  static constexpr std::size_t kMost = 20;
  std::vector<FailedAttempt> first;  // so many at most, in order
  std::size_t count = 0;             // of all
};
FailedAttempts failed_attempts(const Run& run, const ObjectQuery& query);

}  // namespace umaskaudit
