// Tests access to the library and the run directory; see exec_place.h.

#include "preload/process/exec_place.h"

#include <cstring>

#include "preload/record/segment.h"
#include "preload/record/served_segment.h"
#include "preload/state.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

bool is_there(const char* path, struct statx* facts) {
  return sys::facts(AT_FDCWD, path, 0, facts) == 0;
}

bool is_our_group(std::uint32_t gid) {
  if (gid == static_cast<std::uint32_t>(sys::call(SYS_getegid))) return true;
  std::uint32_t groups[64];
  const long count = sys::call(SYS_getgroups, 64, sys::arg(groups));
  for (long i = 0; i < count; ++i) {
    if (groups[i] == gid) return true;
  }
  return count < 0;  // more than fit
}

// Whether the mode lets a user without capabilities do `what` (4: read, 2: write, 1: search).
bool allows(const struct statx& facts, unsigned what, std::uint32_t uid) {
  if (facts.stx_uid == uid) return (facts.stx_mode & what << 6) != 0;
  return (facts.stx_mode & (is_our_group(facts.stx_gid) ? what << 3 : what)) != 0;
}

std::uint32_t started_as;  // effective user id

// Whether a new image could do `what` with the file. With the user of our start it could, because
// it did then. Another user may hold capabilities that exec takes away (capabilities(7)), so
// access(2) by us proves nothing: the modes of all directories of the path are checked.
bool can_have(const char* path, unsigned what, char (&buffer)[4096]) {
  struct statx facts {};
  if (!is_there(path, &facts)) return false;
  const auto uid = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  if (uid == 0 || uid == started_as) return true;
  if (!allows(facts, what, uid)) return false;
  for (std::size_t end = 1; path[end] != '\0' && end + 1 < sizeof buffer; ++end) {
    if (path[end] != '/') continue;
    memcpy(buffer, path, end);
    buffer[end] = '\0';
    if (is_there(buffer, &facts) && !allows(facts, 1, uid)) return false;
  }
  return true;
}

// The loader searches for bare names, and expands $ORIGIN and the like.
bool is_path(const char* entry) {
  return strchr(entry, '/') != nullptr && strchr(entry, '$') == nullptr;
}

}  // namespace

void remember_user() { started_as = static_cast<std::uint32_t>(sys::call(SYS_geteuid)); }

Obstacle find_obstacle_of_place(const char* entry) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return {};
  auto& buffer = *reinterpret_cast<char(*)[4096]>(scratch.get());
  if (is_path(entry) && !can_have(entry, 4, buffer)) {
    return {true, trace::Blind::exec_library, true};
  }
  // Inside another root each image would create the missing run directory again, where no reader
  // looks for it. Where `umaskaudit run` serves segments, it creates the segment instead; also for
  // this image, if its own segment was served.
  if (!process.trace) return {};
  const bool has_own = !has_served_segment() && can_have(process.options.trace.bytes, 2, buffer);
  if (has_own || segments_are_served()) return {};
  return {true, trace::Blind::exec_run_directory, true};
}

void describe_place(trace::Blind reason, TextBuffer& text) {
  const auto uid = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  if (reason != trace::Blind::exec_run_directory) return;
  const char* directory = process.options.trace.bytes;
  struct statx facts {};
  if (is_there(directory, &facts)) {
    text.put(": uid ").decimal(uid).put(" may not write into ").put(directory);
    text.put(" (").mode(facts.stx_mode).put(" of uid ").decimal(facts.stx_uid).put(')');
  } else {
    text.put(": ").put(directory).put(" cannot be reached by uid ").decimal(uid);
  }
}

}  // namespace umaskaudit::shim
