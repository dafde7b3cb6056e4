#include "reporter/reader/derivations.h"

namespace umaskaudit::reader {
namespace {

constexpr std::size_t kEntries = 1024;  // a power of two

}  // namespace

Derivations::Derivations() : latest_(kEntries) {}

CreationFacts Derivations::facts_of(const Segment& segment, const trace::Create& create,
                                    trace::Created created, const std::vector<Mode>& masks) {
  CreationFacts facts;
  facts.kind = static_cast<trace::Kind>(create.kind);
  facts.call = segment.call(create.call);
  facts.requested = create.requested;
  facts.masks = masks;
  facts.final_mode = final_mode(create.final_mode);
  facts.created = created;
  const ParentFacts* parent = segment.directories.find(create.directory);
  if (parent != nullptr) facts.parent = *parent;
  facts.object_uid = create.uid;
  facts.object_gid = create.gid;
  return facts;
}

Derivations::Key Derivations::key_of(const Segment& segment, const trace::Create& create,
                                     trace::Created created, Mode mask) {
  Key key;
  key.call = segment.call(create.call).data();
  if (const ParentFacts* parent = segment.directories.find(create.directory); parent != nullptr) {
    key.has_parent = true;
    key.parent_mode = parent->mode;
    key.parent_gid = parent->gid;
    key.fs_type = parent->fs_type;
    if (parent->acl) {
      key.segment = segment.index;
      key.directory = create.directory;
    }
  }
  key.requested = create.requested;
  key.final_mode = create.final_mode;
  key.uid = create.uid;
  key.gid = create.gid;
  key.mask = static_cast<std::uint16_t>(mask);
  key.kind = create.kind;
  key.created = static_cast<std::uint8_t>(created);
  return key;
}

const Derivation& Derivations::derive(const Segment& segment, const trace::Create& create,
                                      trace::Created created, const std::vector<Mode>& masks) {
  if (masks.size() != 1) {
    single_ = umaskaudit::derive(facts_of(segment, create, created, masks));
    return single_;
  }
  const Key key = key_of(segment, create, created, masks.front());
  std::uint64_t hash = reinterpret_cast<std::uintptr_t>(key.call);
  for (const std::uint64_t word :
       {std::uint64_t{key.segment} << 32 | key.directory,
        std::uint64_t{key.parent_mode} << 32 | key.parent_gid,
        std::uint64_t{key.requested} << 32 | key.final_mode,
        std::uint64_t{key.mask} << 16 | std::uint64_t{key.kind} << 8 | key.created}) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  Entry& entry = latest_[hash & (kEntries - 1)];
  if (!entry.used || !(entry.key == key)) {
    entry.derivation = umaskaudit::derive(facts_of(segment, create, created, masks));
    entry.key = key;
    entry.used = true;
  }
  return entry.derivation;
}

}  // namespace umaskaudit::reader
