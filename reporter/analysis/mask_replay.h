// The masks that a run would have had if it had begun under another one.
// Must never be asked before it has seen the whole run: a creation may name a later umask call.
// Called by `whatif`.
//
// A program that sets a mask of its own sets the same one again. But most umask calls come in
// pairs (mask_pairs.h), and the second one puts back what the first one returned: under another
// mask it returns, and puts back, another one.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reporter/analysis/mask_pairs.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

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

// The masks that those processes were born with whose parents are not in the run.
std::vector<Mode> inherited_masks(const Run& run);

}  // namespace umaskaudit
