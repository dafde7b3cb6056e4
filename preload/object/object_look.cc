// Asks for an object's facts; see object_look.h.

#include "preload/object/object_look.h"

#include "preload/sys/sys.h"
#include "preload/trace/object_facts.h"

namespace umaskaudit::shim {

namespace {

void take(const struct statx& facts, ObjectFacts& out) {
  out.mode = facts.stx_mode;
  out.uid = facts.stx_uid;
  out.gid = facts.stx_gid;
  out.ino = facts.stx_ino;
  out.dev = trace::device_of(facts);
  out.mount = (facts.stx_mask & sys::kUniqueMount) != 0 ? facts.stx_mnt_id : 0;
  out.birth_ns = trace::birth_of(facts);
}

}  // namespace

int look_at(int dirfd, const char* path, int flags, ObjectFacts& out) {
  struct statx facts;
  const int error = sys::facts(dirfd, path, flags, &facts);
  if (error == 0) take(facts, out);
  return error;
}

int look_at_descriptor(int fd, ObjectFacts& out) {
  struct statx facts;
  const int error = sys::facts_by_stat(fd, "", AT_EMPTY_PATH, &facts);
  if (error == 0) take(facts, out);
  return error;
}

}  // namespace umaskaudit::shim
