// Files that appeared while a run recorded and that no record names: what a blind spot may hide.
// Must never open, follow or change one of them: names are listed, and each is looked at by
// statx(2). Called by `report`, on the machine that the run was recorded on; elsewhere nothing is
// found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/model/run.h"

namespace umaskaudit {

struct Appeared {
  std::string path;
  trace::Kind kind = trace::Kind::unknown;
  Mode mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t time_ns = 0;  // of its birth, as events have it
};

struct AppearedQuery {
  std::string directory;            // one more that the program used: where it was started
  std::uint64_t begin_real_ns = 0;  // the last tick before CMD was started; 0: not known
  std::uint64_t end_real_ns = 0;    // when CMD ended; 0: the last event's time is taken
  bool suspicious = false;          // something is known to be missing in the records
  bool any_owner = false;           // something ran as another user
};

// Nothing, and nothing is read, when all was seen: Completeness::hides_creations. Else reads the
// run twice, and looks into the directories in which it created something, and into the one that is
// given: objects born between the run's beginning and end, owned by a user that it ran as (by
// anybody, where not one process was recorded). Directories that others write to as well (sticky,
// as /tmp) are left out: what appears there may be anybody's. At most 4096 directories and 262144
// entries are looked at; memory follows these, not the run. Births are stamped with the kernel's
// last tick (1 to 10 ms): what somebody made in the tick before the run, or in the one after it,
// may be among them. Where CMD's start is not known the first event counts, less the usual length
// of a tick; a tick that came late may hide an object then.
// Sorted by path.
std::vector<Appeared> appeared_unseen(const Run& run, const AppearedQuery& query);

}  // namespace umaskaudit
