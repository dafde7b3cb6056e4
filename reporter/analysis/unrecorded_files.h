// Finds objects that were created during a run and have no record, which a blind spot may hide.
// Must never change anything on disk, nor open anything but directories: names are listed, and each
// is examined by statx(2), without following a symbolic link. Used on the machine of the recording;
// elsewhere nothing is found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reporter/objects/unrecorded_object.h"
#include "reporter/reader/run.h"

namespace umaskaudit::analysis {

struct UnrecordedQuery {
  std::string store;                     // the store that the run is in; empty: none
  std::string directory;                 // an additional directory: where the program was started
  std::uint64_t begin_real_ns = 0;       // the last tick before CMD was started; 0: not known
  std::uint64_t end_real_ns = 0;         // when CMD ended; 0: the time of the last event
  bool suspicious = false;               // records are known to be missing
  bool any_owner = false;                // something ran as another user
  std::uint64_t most_entries = 1 << 18;  // to be examined
  std::function<void(std::uint64_t entries)> ticker;  // called from time to time with their number
};

struct UnrecordedObjects {
  std::vector<UnrecordedObject> objects;  // sorted by path
  std::uint64_t entries = 0;              // number of examined names
  std::string incomplete;                 // why not all were examined; empty: all were
};

// Nothing, without reading anything, when all creations were recorded:
// Completeness::hides_creations. Else reads the run twice, and searches the directories that it
// created, those in which it created something, the given one, and everything below these on the
// same filesystem, for objects born between the begin and end of the run, each with its names
// there. The owner must be a user of the run, by its processes or by what it created; if it ran as
// root, which can become any user without a record, also the owner of the directory, or any user in
// a directory that is as new; any user if no process was recorded. Directories that other users
// write to (sticky, such as /tmp) are left out, and of "/" only the first level is searched,
// because objects there may belong to anything. At most `most_entries` names, 16384 directories of
// the run and 30 seconds; directories created in the run come first. Memory is bounded by these,
// not by the run. Birth times are those of the kernel's last tick (1 to 10 ms): objects created in
// the tick before the run, or after it, may be included. If the start of CMD is not known, the time
// of the first event less the usual length of a tick is used; a late tick may hide an object then.
UnrecordedObjects find_unrecorded(const reader::Run& run, const UnrecordedQuery& query);

}  // namespace umaskaudit::analysis
