// The derivation of each creation, and a memory of the latest: programs make many objects alike.
// Must never mix up two creations whose facts differ. Called by the event builder.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/explain/calculus.h"
#include "reporter/model/segment.h"

namespace umaskaudit::model {

class Derivations {
 public:
  Derivations();

  // `masks`: the candidates in order, at least one. `created` is settled. Valid until the next
  // call.
  const Derivation& derive(const Segment& segment, const trace::Create& create,
                           trace::Created created, const std::vector<Mode>& masks);

 private:
  struct Key {
    std::uint32_t segment = 0, directory = 0;
    std::uint32_t requested = 0, final_mode = 0;
    std::uint32_t uid = 0, gid = 0;
    std::int32_t error = 0;
    std::uint16_t mask = 0, call = 0;
    std::uint8_t kind = 0, created = 0;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    bool used = false;
    Key key;
    Derivation derivation;
  };

  static CreationFacts facts_of(const Segment& segment, const trace::Create& create,
                                trace::Created created, const std::vector<Mode>& masks);

  std::vector<Entry> latest_;  // by the key's hash
  Derivation single_;          // of a creation with several candidates
};

// What the filesystem says the mode is, without type bits; nothing when it could not be read.
// Inline: returned through memory, it was a sixth of all time that findings take.
inline std::optional<Mode> final_mode(std::uint32_t st_mode) {
  if (st_mode == 0) return std::nullopt;
  return st_mode & 07777;
}

}  // namespace umaskaudit::model
