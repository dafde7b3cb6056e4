// Sorted half-open address ranges, and the search that units, functions and symbols share.
// Must never search back without a bound: the ranges of a hostile file overlap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace umaskaudit::symbolize {

template <typename T>
struct AddressRange {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  T value{};
};

template <typename T>
void sort_ranges(std::vector<AddressRange<T>>& ranges) {
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const auto& a, const auto& b) { return a.low < b.low; });
}

// The innermost range around `address`: among those that contain it, one that begins last. Null if
// none does.
template <typename T>
const AddressRange<T>* range_at(const std::vector<AddressRange<T>>& ranges, std::uint64_t address) {
  constexpr int kMaxLookBack = 64;  // aliases, and ranges nested in others
  auto at = std::upper_bound(ranges.begin(), ranges.end(), address,
                             [](std::uint64_t a, const auto& range) { return a < range.low; });
  for (int i = 0; i < kMaxLookBack && at != ranges.begin(); ++i) {
    --at;
    if (address < at->high) return &*at;
  }
  return nullptr;
}

}  // namespace umaskaudit::symbolize
