// Calls statx(2); see object_look.h.

#include "preload/object/object_look.h"

#include <atomic>

#include "preload/record/intern.h"
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

// Stored at the index of its key.
constexpr unsigned kMadeLately = 256;
constinit std::atomic<std::uint64_t> made_lately[kMadeLately];

std::uint64_t identity_of(const ObjectFacts& facts) { return mix(facts.dev, facts.ino); }

std::atomic<std::uint64_t>& place_of(std::uint64_t identity) {
  return made_lately[identity % kMadeLately];
}

}  // namespace

void note_made(const ObjectFacts& facts) {
  const std::uint64_t identity = identity_of(facts);
  place_of(identity).store(identity, std::memory_order_relaxed);
}

bool was_made_lately(const ObjectFacts& facts) {
  const std::uint64_t identity = identity_of(facts);
  return place_of(identity).load(std::memory_order_relaxed) == identity;
}

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
