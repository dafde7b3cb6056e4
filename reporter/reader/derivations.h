// Derivations: computes the derivation of each creation, with a cache of the latest, because
// programs make many similar objects. Must never confuse two creations whose facts differ.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/mode/calculus.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

class Derivations {
 public:
  Derivations();

  // `masks`: the candidates in order, at least one. `created` is final. Valid until the next call.
  const Derivation& derive(const Segment& segment, const trace::Create& create,
                           trace::Created created, const std::vector<Mode>& masks);

 private:
  struct Key {
    const char* call = nullptr;  // from the pool, so that equal names have equal addresses
    // The ACL that the parent record has, by address: contents are not compared.
    std::uint32_t segment = 0, directory = 0;
    Mode parent_mode = 0;
    std::uint32_t parent_gid = 0, fs_type = 0;
    std::uint32_t requested = 0, final_mode = 0;
    std::uint32_t uid = 0, gid = 0;
    std::uint16_t mask = 0;
    std::uint8_t kind = 0, created = 0;
    bool has_parent = false;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    bool used = false;
    Key key;
    Derivation derivation;
  };

  static Key key_of(const Segment& segment, const trace::Create& create, trace::Created created,
                    Mode mask);
  static CreationFacts facts_of(const Segment& segment, const trace::Create& create,
                                trace::Created created, const std::vector<Mode>& masks);

  std::vector<Entry> latest_;  // by the key's hash
  Derivation single_;          // for creations with several candidates
};

// The filesystem's mode, without type bits; nothing when it could not be read. Inline: returned
// through memory, it was a sixth of the time that findings take.
inline std::optional<Mode> final_mode(std::uint32_t st_mode) {
  if (st_mode == 0) return std::nullopt;
  return st_mode & 07777;
}

}  // namespace umaskaudit::reader
