// Symbolised stacks of one run, each looked up once.
// Must never grow with the number of events: one entry a distinct stack.
// Shared by the renderers of one command.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "reporter/events/stack_source.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

class StackCache {
 public:
  // Both must outlive the cache.
  StackCache(const StackSource& source, Symbolizer& symbolizer)
      : source_(source), symbolizer_(symbolizer) {}

  // Innermost first; empty when no stack was recorded. Valid as long as the cache.
  const std::vector<Frame>& frames(StackRef ref) {
    const auto [entry, fresh] = cache_.try_emplace(key(ref));
    if (fresh && ref.id != 0) entry->second = symbolizer_.stack(source_, ref);
    return entry->second;
  }

  // Why frames of the stacks asked for so far may have no names: Symbolizer::notes().
  const std::vector<std::string>& notes() const { return symbolizer_.notes(); }

  static std::uint64_t key(StackRef ref) {
    return static_cast<std::uint64_t>(ref.segment) << 32 | ref.id;
  }

 private:
  const StackSource& source_;
  Symbolizer& symbolizer_;
  std::unordered_map<std::uint64_t, std::vector<Frame>> cache_;
};

}  // namespace umaskaudit
