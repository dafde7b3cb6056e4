// FlatMap: a hash table with its entries in one array. A lookup touches one cache line where
// std::unordered_map touches a bucket and a node, and entries are not allocated one by one.
// Must never hold the key Key{}, which marks an empty slot. References to values are invalidated by
// every change. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace umaskaudit {

template <typename Key, typename Value, typename Hash>
class FlatMap {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null: not found.
  const Value* find(const Key& key) const {
    for (std::size_t at = place(key); !(cells_[at].key == Key{}); at = after(at))
      if (cells_[at].key == key) return &cells_[at].value;
    return nullptr;
  }
  Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  // The value of `key`, inserted if missing.
  Value& operator[](const Key& key) {
    if ((size_ + 1) * 4 > cells_.size() * 3) grow();
    std::size_t at = place(key);
    for (; !(cells_[at].key == Key{}); at = after(at))
      if (cells_[at].key == key) return cells_[at].value;
    ++size_;
    cells_[at].key = key;
    return cells_[at].value;
  }

  // No effect if missing.
  void erase(const Key& key) {
    std::size_t at = place(key);
    for (; !(cells_[at].key == key); at = after(at))
      if (cells_[at].key == Key{}) return;
    --size_;
    // Entries after it move up, unless that would put them before their own slot.
    for (std::size_t next = after(at); !(cells_[next].key == Key{}); next = after(next)) {
      const std::size_t wanted = place(cells_[next].key);
      if (((next - wanted) & mask()) < ((next - at) & mask())) continue;
      cells_[at] = std::move(cells_[next]);
      at = next;
    }
    cells_[at] = Cell{};
  }

  void clear() { *this = FlatMap(); }

 private:
  struct Cell {
    Key key{};
    [[no_unique_address]] Value value{};
  };

  std::size_t mask() const { return cells_.size() - 1; }
  std::size_t after(std::size_t at) const { return (at + 1) & mask(); }
  // The multiplication moves the significant bits to the top.
  std::size_t place(const Key& key) const {
    return static_cast<std::size_t>((Hash()(key) * 0x9E3779B97F4A7C15U) >> shift_);
  }

  void grow() {
    std::vector<Cell> before = std::exchange(cells_, std::vector<Cell>(cells_.size() * 2));
    --shift_;
    for (Cell& cell : before) {
      if (cell.key == Key{}) continue;
      std::size_t at = place(cell.key);
      while (!(cells_[at].key == Key{})) at = after(at);
      cells_[at] = std::move(cell);
    }
  }

  static constexpr unsigned kFirstBits = 4;
  std::vector<Cell> cells_ = std::vector<Cell>(std::size_t{1} << kFirstBits);
  unsigned shift_ = 64 - kFirstBits;
  std::size_t size_ = 0;
};

// For keys that need no hash of their own.
struct NumberHash {
  std::uint64_t operator()(std::uint64_t number) const { return number; }
};

}  // namespace umaskaudit
