// A hash table in the header of the segment; see repeats.h.

#include "preload/object/repeats.h"

#include <cstring>

#include "preload/record/intern.h"
#include "preload/record/segment.h"

namespace umaskaudit::shim {

Repetition count_repetition(const Request& request, const ObjectFacts& facts, std::uint16_t mask) {
  trace::SegmentHeader* const header = process.trace ? segment_header() : nullptr;
  if (header == nullptr) return {};
  const auto length = static_cast<std::uint32_t>(strnlen(request.path, trace::kMaxPath));
  std::uint64_t place = mix(request.stack.pc, static_cast<std::uint64_t>(request.call));
  place = mix(mix(place, facts.dev), facts.ino);
  place = mix(place, static_cast<std::uint64_t>(facts.birth_ns));
  place = mix(place, hash_bytes(request.path, length));
  place = mix(place, std::uint64_t{request.mode} << 32 | static_cast<unsigned>(request.flags));
  place = mix(place, std::uint64_t{facts.mode} << 32 | mask) | 1;
  auto* const repeats = reinterpret_cast<trace::Repeat*>(header + 1);
  constexpr unsigned kProbe = 8;
  for (unsigned step = 0; step < kProbe; ++step) {
    const auto index = static_cast<std::uint32_t>((place + step) % trace::kRepeats);
    trace::Repeat& repeat = repeats[index];
    std::uint64_t there = __atomic_load_n(&repeat.place, __ATOMIC_RELAXED);
    if (there == 0 && __atomic_compare_exchange_n(&repeat.place, &there, place, false,
                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return {false, index + 1};
    }
    if (there != place) continue;
    __atomic_fetch_add(&repeat.count, 1, __ATOMIC_RELAXED);
    return {true, 0};
  }
  return {};
}

}  // namespace umaskaudit::shim
