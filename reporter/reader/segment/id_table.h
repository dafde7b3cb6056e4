// IdTable: the items that a segment defines once and refers to by id.
// Must never size anything by an id: ids come from a file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace umaskaudit::reader {

// Ids are usually 1, 2, 3, ... in order, and then a lookup is one comparison. Other orders work
// too.
template <typename T>
class IdTable {
 public:
  using Item = std::pair<std::uint32_t, T>;

  void add(std::uint32_t id, T value) {
    if (!items_.empty() && id <= items_.back().first) sorted_ = false;
    items_.emplace_back(id, std::move(value));
  }

  // Call once, before the first find(). Of two definitions of an id the first counts.
  void finish() {
    if (sorted_) return;
    const auto by_id = [](const Item& a, const Item& b) { return a.first < b.first; };
    std::stable_sort(items_.begin(), items_.end(), by_id);
    const auto same = [](const Item& a, const Item& b) { return a.first == b.first; };
    items_.erase(std::unique(items_.begin(), items_.end(), same), items_.end());
    sorted_ = true;
  }

  const T* find(std::uint32_t id) const {
    if (id == 0) return nullptr;
    if (id <= items_.size() && items_[id - 1].first == id) return &items_[id - 1].second;
    const auto before = [](const Item& item, std::uint32_t wanted) { return item.first < wanted; };
    const auto found = std::lower_bound(items_.begin(), items_.end(), id, before);
    return found != items_.end() && found->first == id ? &found->second : nullptr;
  }

  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
  bool sorted_ = true;
};

}  // namespace umaskaudit::reader
