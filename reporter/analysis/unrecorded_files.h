// Objects that appeared while a run recorded and that no record names: what a blind spot may hide.
// Must never change anything on disk, nor open anything but directories: names are listed, and each
// is looked at by statx(2), without following a symbolic link.
// Called by `report`, on the machine that the run was recorded on; elsewhere nothing is found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reporter/reader/run.h"

namespace umaskaudit {

struct UnrecordedObject {
  std::string path;
  trace::Kind kind = trace::Kind::unknown;
  Mode mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t time_ns = 0;  // of its birth, as events have it
};

struct UnrecordedQuery {
  std::string store;                     // where the run is kept among others; empty: in none
  std::string directory;                 // one more that the program used: where it was started
  std::uint64_t begin_real_ns = 0;       // the last tick before CMD was started; 0: not known
  std::uint64_t end_real_ns = 0;         // when CMD ended; 0: the last event's time is taken
  bool suspicious = false;               // something is known to be missing in the records
  bool any_owner = false;                // something ran as another user
  std::uint64_t most_entries = 1 << 18;  // to be looked at
  std::function<void(std::uint64_t entries)> ticker;  // told now and then how many were
};

struct UnrecordedObjects {
  std::vector<UnrecordedObject> objects;  // sorted by path
  std::uint64_t entries = 0;              // names that were looked at
  std::string incomplete;                 // why not all were; empty when all were
};

// Nothing, and nothing is read, when all was seen: Completeness::hides_creations. Else reads the
// run twice, and looks into the directories that it made, those in which it created something, the
// one that is given, and all that lies below these on the same filesystem: objects born between the
// run's beginning and end, each under one name. Their owner must be a user that the run was seen to
// be, by its processes or by what it created; where it ran as root, which can become any user
// unseen, also the owner of the directory, or anybody in a directory that is as new; anybody where
// not one process was recorded. Directories that others write to as well (sticky, as /tmp) are left
// out, and below "/" only the first level is looked at: what appears there may be anybody's.
// At most `most_entries` names, 16384 directories of the run and 30 seconds; what was made in the
// run is looked at first. Memory follows these, not the run. Births are stamped with the kernel's
// last tick (1 to 10 ms): what somebody made in the tick before the run, or in the one after it,
// may be among them. Where CMD's start is not known the first event counts, less the usual length
// of a tick; a tick that came late may hide an object then.
UnrecordedObjects find_unrecorded(const Run& run, const UnrecordedQuery& query);

}  // namespace umaskaudit
