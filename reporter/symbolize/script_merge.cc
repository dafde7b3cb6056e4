#include "reporter/symbolize/script_merge.h"

#include <algorithm>

namespace umaskaudit::symbolize {
namespace {

class Merge {
 public:
  Merge(std::span<const RawFrame> native, const ScriptStack& script)
      : native_(native), script_(script) {}

  std::vector<MergedFrame> merged(bool truncated) {
    if (placement_of(script_.language) == ScriptPlacement::first) {
      take_all();
      for (std::size_t i = 0; i < native_.size(); ++i) out_.push_back({i, false});
      return std::move(out_);
    }
    std::size_t behind = 0;  // the last one that is in the position of a native frame
    for (std::size_t i = 0; i < native_.size(); ++i) {
      const std::size_t end = end_of_evaluators(i);
      if (end == i || next_ == script_.frames.size()) {
        out_.push_back({i, false});
        continue;
      }
      take_through_entry();
      behind = out_.size();
      i = end - 1;
    }
    // The rest was run by native frames that are missing, or not recognised.
    std::vector<MergedFrame> outer;
    std::swap(outer, out_);
    take_all();
    const auto place =
        truncated ? outer.end() : outer.begin() + static_cast<std::ptrdiff_t>(behind);
    outer.insert(place, out_.begin(), out_.end());
    return outer;
  }

 private:
  bool is_evaluator(const RawFrame& frame) const {
    return frame.module != 0 && frame.module == script_.runtime &&
           frame.offset >= script_.evaluator &&
           frame.offset - script_.evaluator < script_.evaluator_size;
  }

  // The end of the native frames from `i` on that run script frames together; `i`: there are none.
  std::size_t end_of_evaluators(std::size_t i) const {
    if (placement_of(script_.language) == ScriptPlacement::each)
      return is_evaluator(native_[i]) ? i + 1 : i;
    while (i < native_.size() && (native_[i].module == 0 || is_evaluator(native_[i]))) ++i;
    return i;
  }

  void take_through_entry() {
    bool entry = false;
    for (; !entry && next_ < script_.frames.size(); ++next_) {
      out_.push_back({next_, true});
      entry = script_.frames[next_].entry;
    }
  }
  void take_all() {
    while (next_ < script_.frames.size()) take_through_entry();
  }

  const std::span<const RawFrame> native_;
  const ScriptStack& script_;
  std::size_t next_ = 0;  // script frame
  std::vector<MergedFrame> out_;
};

}  // namespace

std::vector<MergedFrame> merge_script(std::span<const RawFrame> native, const ScriptStack& script,
                                      bool truncated) {
  return Merge(native, script).merged(truncated);
}

}  // namespace umaskaudit::symbolize
