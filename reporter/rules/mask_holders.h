// Who put each mask in force for a while, the latest first: asked when a process was born with a
// mask that its parent did not mean. Must never grow with the changes: two windows for each mask.
// Kept by the timeline, for each fs context.
#pragma once

#include <memory>
#include <unordered_map>

#include "reporter/mode/calculus.h"

namespace umaskaudit::rules {

struct MaskWindow;
using WindowPtr = std::shared_ptr<MaskWindow>;

class MaskHolders {
 public:
  // `mask` is in force by a window of `tid` that is open.
  void set(Mode mask, std::uint32_t tid, const WindowPtr& window) {
    Latest& latest = latest_[mask];
    if (latest.window == window) return;
    // The one before stays for whoever asks who it was besides itself.
    if (latest.window && latest.tid != tid) latest.other = std::move(latest.window);
    latest.window = window;
    latest.tid = tid;
  }
  // The latest window that put `mask` in force and is not one of `tid`; null: there was none.
  WindowPtr other_than(std::uint32_t tid, Mode mask) const {
    const auto found = latest_.find(mask);
    if (found == latest_.end()) return nullptr;
    return found->second.tid != tid ? found->second.window : found->second.other;
  }
  void clear() { latest_.clear(); }

 private:
  struct Latest {
    std::uint32_t tid = 0;
    WindowPtr window;
    WindowPtr other;  // of another thread than `tid`
  };
  std::unordered_map<Mode, Latest> latest_;
};

}  // namespace umaskaudit::rules
