// Symbolised stacks of one run, each looked up once.
// Must never grow with the number of events: one entry a distinct stack.
// Shared by the renderers of one command.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/events/stack_source.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

// Which frames of a stack that has some of a script are shown.
enum class FrameView : std::uint8_t {
  folded,  // the script's, and of the native ones those that are not its interpreter's
  all,
  native,  // the native ones alone
};

class StackCache {
 public:
  // Both must outlive the cache.
  StackCache(const StackSource& source, Symbolizer& symbolizer, FrameView view = FrameView::folded)
      : source_(source), symbolizer_(symbolizer), view_(view) {}

  // To be shown. Innermost first; empty when no stack was recorded. Valid as long as the cache.
  const std::vector<Frame>& frames(StackRef ref) {
    if (view_ != FrameView::native) return code(ref);
    const auto [entry, fresh] = native_.try_emplace(key(ref));
    if (fresh && ref.id != 0) entry->second = symbolizer_.native_stack(source_, ref);
    return entry->second;
  }

  // To tell one code from another: the same frames whatever is shown.
  const std::vector<Frame>& code(StackRef ref) {
    const auto [entry, fresh] = cache_.try_emplace(key(ref));
    if (!fresh || ref.id == 0) return entry->second;
    entry->second = symbolizer_.stack(source_, ref);
    if (view_ == FrameView::all)
      for (Frame& frame : entry->second) frame.folded = false;
    return entry->second;
  }

  // Why frames of the stacks asked for so far may have no names: Symbolizer::notes().
  const std::vector<std::string>& symbol_notes() const { return symbolizer_.notes(); }
  // And why there may be none of a script.
  std::vector<std::string> notes() const {
    std::vector<std::string> notes = runtime_notes(source_.runtimes());
    notes.insert(notes.end(), symbol_notes().begin(), symbol_notes().end());
    return notes;
  }

  static std::uint64_t key(StackRef ref) {
    return static_cast<std::uint64_t>(ref.segment) << 32 | ref.id;
  }

 private:
  const StackSource& source_;
  Symbolizer& symbolizer_;
  const FrameView view_;
  std::unordered_map<std::uint64_t, std::vector<Frame>> cache_, native_;
};

}  // namespace umaskaudit
