// See derivations.h.
#include "reporter/model/derivations.h"

namespace umaskaudit::model {
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

const Derivation& Derivations::derive(const Segment& segment, const trace::Create& create,
                                      trace::Created created, const std::vector<Mode>& masks) {
  if (masks.size() != 1) {
    single_ = umaskaudit::derive(facts_of(segment, create, created, masks));
    return single_;
  }
  const Key key{segment.index,
                create.directory,
                create.requested,
                create.final_mode,
                create.uid,
                create.gid,
                create.error,
                static_cast<std::uint16_t>(masks.front()),
                create.call,
                create.kind,
                static_cast<std::uint8_t>(created)};
  std::uint64_t hash = 0;
  for (const std::uint64_t word : {std::uint64_t{key.segment} << 32 | key.directory,
                                   std::uint64_t{key.requested} << 32 | key.final_mode,
                                   std::uint64_t{key.mask} << 32 | std::uint64_t{key.call} << 16 |
                                       std::uint64_t{key.kind} << 8 | key.created}) {
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

}  // namespace umaskaudit::model
