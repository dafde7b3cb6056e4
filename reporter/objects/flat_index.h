// FlatIndex: an index over entries that the caller keeps in an array: one table of entry numbers
// and hashes, with linear probing. A lookup touches one cache line, and the entry only if its hash
// matches; entries are not allocated one by one. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace umaskaudit {

class FlatIndex {
 public:
  std::size_t size() const { return size_; }

  // An entry's number in the array; 0 is none.
  using Number = std::uint32_t;

  // `same(number)`: whether that entry has the key. 0: not found.
  template <typename Same>
  Number find(std::uint32_t hash, Same same) const {
    for (std::size_t at = place(hash); cells_[at].entry != 0; at = after(at))
      if (cells_[at].hash == hash && same(cells_[at].entry)) return cells_[at].entry;
    return 0;
  }

  // Prefetches the slot of `hash`.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&cells_[place(hash)]); }
  // The first entry with that hash, which nearly always has the key; 0: none.
  Number guess(std::uint32_t hash) const {
    return find(hash, [](Number) { return true; });
  }

  // The key must not be in it.
  void insert(Number entry, std::uint32_t hash) {
    if (++size_ * 2 > cells_.size()) grow();
    put({entry, hash});
  }

  // No effect if the entry is not in the index with that hash.
  void erase(Number entry, std::uint32_t hash) {
    std::size_t at = place(hash);
    while (cells_[at].entry != 0 && cells_[at].entry != entry) at = after(at);
    if (cells_[at].entry == 0) return;
    --size_;
    // Entries after it move up, unless that would put them before their own slot.
    for (std::size_t next = after(at); cells_[next].entry != 0; next = after(next)) {
      const std::size_t wanted = place(cells_[next].hash);
      if (((next - wanted) & mask()) < ((next - at) & mask())) continue;
      cells_[at] = cells_[next];
      at = next;
    }
    cells_[at] = {};
  }

 private:
  struct Cell {
    Number entry = 0;
    std::uint32_t hash = 0;
  };

  std::size_t mask() const { return cells_.size() - 1; }
  // By the upper bits, which mixed() mixes best.
  std::size_t place(std::uint32_t hash) const { return hash >> shift_; }
  std::size_t after(std::size_t at) const { return (at + 1) & mask(); }

  void put(Cell cell) {
    std::size_t at = place(cell.hash);
    while (cells_[at].entry != 0) at = after(at);
    cells_[at] = cell;
  }

  void grow() {
    const std::vector<Cell> before = std::exchange(cells_, std::vector<Cell>(cells_.size() * 2));
    if (shift_ > 0) --shift_;
    for (const Cell& cell : before)
      if (cell.entry != 0) put(cell);
  }

  static constexpr unsigned kFirstBits = 6;
  std::vector<Cell> cells_ = std::vector<Cell>(std::size_t{1} << kFirstBits);
  unsigned shift_ = 32 - kFirstBits;
  std::size_t size_ = 0;
};

// The upper half of a product that depends on all bits of `key`.
inline std::uint32_t mixed(std::uint64_t key) {
  return static_cast<std::uint32_t>((key * 0x9E3779B97F4A7C15U) >> 32);
}

}  // namespace umaskaudit
