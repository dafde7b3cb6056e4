// BitFilter: a Bloom filter of 256 KiB. Most objects of a run are never changed: it excludes nearly
// all of them by one look, where each would cost a search in a large table. Must never exclude a
// number that was added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace umaskaudit::rules {

class BitFilter {
 public:
  // `hash` must be mixed well in its upper half.
  void add(std::uint64_t hash) { word(hash) |= bit(hash); }
  bool may_contain(std::uint64_t hash) const { return (words_[place(hash)] & bit(hash)) != 0; }

  // Brings what may_contain() reads near.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&words_[place(hash)]); }

 private:
  static constexpr std::size_t kWords = std::size_t{1} << 15;

  static std::size_t place(std::uint64_t hash) { return hash >> 40 & (kWords - 1); }
  static std::uint64_t bit(std::uint64_t hash) { return std::uint64_t{1} << (hash >> 34 & 63); }
  std::uint64_t& word(std::uint64_t hash) { return words_[place(hash)]; }

  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kWords);
};

}  // namespace umaskaudit::rules
