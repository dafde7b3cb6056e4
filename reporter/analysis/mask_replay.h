// MaskReplay: the masks that a run would have had under another initial mask.
// Must never be queried before it has seen the whole run: a creation may refer to a later umask
// call. Used by `whatif`.
//
// A program that sets a constant mask sets the same one again. But most umask calls come in pairs
// (mask_pairs.h), and the second one restores what the first one returned: under another initial
// mask it returns, and restores, another mask.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reporter/analysis/mask_pairs.h"
#include "reporter/reader/run.h"

namespace umaskaudit::analysis {

class MaskReplay {
 public:
  explicit MaskReplay(Mode mask) : mask_(mask) {}

  void see(const Event& event);

  // The mask in force after the umask call `id`, or the inherited one.
  Mode mask_after(std::optional<std::uint64_t> id) const;

 private:
  void add(const UmaskEvent& event);

  Mode mask_;
  MaskPairs<Mode> pairs_;                                   // the mask that it would be
  std::unordered_map<std::uint64_t, std::uint16_t> after_;  // by UmaskEvent::id
};

// The initial masks of the processes whose parents are not in the run.
std::vector<Mode> inherited_masks(const reader::Run& run);

}  // namespace umaskaudit::analysis
