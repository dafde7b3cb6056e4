// ObjectHistory: the history of one object in a run: creation, renames, changes, under any of its
// names.
// Must never resolve a path on the disk: only the record counts, with `links` and the numbers of an
// ObjectQuery.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/objects/object_lives.h"
#include "reporter/objects/refusal.h"
#include "reporter/reader/run.h"

namespace umaskaudit::analysis {

struct ObjectHistory {
  std::optional<CreateEvent>
      creation;                        // nothing: it was made before or unseen, and renamed to PATH
  std::vector<Event> afterwards;       // ChmodEvent and RenameEvent, in order
  std::optional<UmaskEvent> setter;    // the call that chose its mask; nothing: inherited
  std::optional<UmaskEvent> put_back;  // the last call that set it, if that one only restored it
  std::string path;                    // its current name, or the last one
  std::vector<std::string> names;      // all current names, oldest first
  ObjectState state = ObjectState::there;
  std::optional<Mode> mode;  // that the run left it with
};

struct ObjectQuery {
  std::string path;  // absolute, or the name of a POSIX IPC object ("/NAME")
  // The object that `path` is on disk now, used when no object of the run had that name. 0: not
  // known.
  std::uint64_t dev = 0, ino = 0;
  NameTree::Links links{};  // see ObjectLives
};

// The histories of all objects that ever had this name: first the one that has it now, then the
// others, oldest first. An object that was renamed to it includes its creation under the older
// name.
std::vector<ObjectHistory> object_histories(const reader::Run& run, const ObjectQuery& query);

// Calls that tried to create the object and failed.
struct FailedAttempt {
  CreateEvent event;
  std::optional<Refusal> refusal;
};
struct FailedAttempts {
  static constexpr std::size_t kMost = 20;
  std::vector<FailedAttempt> first;  // at most kMost, in order
  std::size_t count = 0;             // total
};
FailedAttempts failed_attempts(const reader::Run& run, const ObjectQuery& query);

}  // namespace umaskaudit::analysis
