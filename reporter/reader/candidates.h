// Candidates: the masks that may have been in force during one call, each with the change that set
// it. Must never hold a mask twice.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <vector>

#include "reporter/mode/calculus.h"

namespace umaskaudit::reader {

class Candidates {
 public:
  void add(Mode mask, std::uint64_t change) {
    mask &= 0777;
    if (seen_.test(mask)) return;
    seen_.set(mask);
    masks_.push_back(mask);
    changes_.push_back(change);
  }
  void clear() {
    for (const Mode mask : masks_) seen_.reset(mask);
    masks_.clear();
    changes_.clear();
  }
  const std::vector<Mode>& masks() const { return masks_; }
  std::uint64_t change_of(Mode mask) const {
    const auto found = std::find(masks_.begin(), masks_.end(), mask);
    return found == masks_.end() ? changes_.front()
                                 : changes_[static_cast<std::size_t>(found - masks_.begin())];
  }

 private:
  std::bitset<01000> seen_;
  std::vector<Mode> masks_;
  std::vector<std::uint64_t> changes_;
};

}  // namespace umaskaudit::reader
