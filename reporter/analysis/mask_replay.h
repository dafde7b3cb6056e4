// The masks that a run would have had if it had begun under another one.
// Must never be asked before it has seen the whole run: a creation may name a later umask call.
// Called by `whatif`.
//
// A program that sets a mask of its own sets the same one again. But most umask calls come in
// pairs, and the second one puts back what the first one returned: under another mask it returns,
// and puts back, another one. A call is taken for the second of a pair when its argument is a mask
// that the process (or the one it was forked from) got from umask before and has not put back yet.
// Not known is what a program computes from a mask: umask(old | 077) counts as one of its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "reporter/reader/run.h"

namespace umaskaudit {

class MaskReplay {
 public:
  explicit MaskReplay(Mode mask) : mask_(mask) {}

  void see(const Event& event);

  // The mask in force after the umask call `id`, or the inherited one.
  Mode mask_after(std::optional<std::uint64_t> id) const;

 private:
  // What a process remembers of the masks that umask gave it.
  struct Memory {
    std::map<Mode, std::vector<Mode>> returned;  // as recorded -> as it would be, latest last
    std::set<std::uint64_t> constant_sites;      // stacks that set a mask of their own
  };

  void add(const ProcessEvent& event);
  void add(const UmaskEvent& event);
  void add(const EventBase&) {}

  Mode mask_;
  std::vector<std::uint16_t> after_;          // by UmaskEvent::id
  std::map<std::uint32_t, Memory> memories_;  // by pid
};

// The masks that those processes were born with whose parents are not in the run.
std::vector<Mode> inherited_masks(const Run& run);

}  // namespace umaskaudit
