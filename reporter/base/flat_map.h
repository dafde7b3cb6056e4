// A hash table whose entries lie in one array: a look-up touches one line of memory where
// std::unordered_map touches a bucket and a node, and no entry is allocated by itself.
// Must never hold the key Key{}, which marks an empty place, nor be asked for a reference to a
// value across a change of the table. Not thread-safe.
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

  // Null: it is not there.
  const Value* find(const Key& key) const {
    for (std::size_t at = place(key); !(cells_[at].key == Key{}); at = after(at))
      if (cells_[at].key == key) return &cells_[at].value;
    return nullptr;
  }
  Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  // The value of `key`, made where it is not there.
  Value& operator[](const Key& key) {
    if ((size_ + 1) * 4 > cells_.size() * 3) grow();
    std::size_t at = place(key);
    for (; !(cells_[at].key == Key{}); at = after(at))
      if (cells_[at].key == key) return cells_[at].value;
    ++size_;
    cells_[at].key = key;
    return cells_[at].value;
  }

  // Does nothing where it is not there.
  void erase(const Key& key) {
    std::size_t at = place(key);
    for (; !(cells_[at].key == key); at = after(at))
      if (cells_[at].key == Key{}) return;
    --size_;
    // What lies behind moves up, unless it would come before its own place.
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
  // The product brings what tells hashes apart into the upper bits.
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

// For numbers that are told apart by themselves.
struct NumberHash {
  std::uint64_t operator()(std::uint64_t number) const { return number; }
};

}  // namespace umaskaudit
