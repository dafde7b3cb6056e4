// StackCache: the symbolised stacks of one run, each looked up once.
// Must never grow with the number of events: one entry a distinct stack. Shared by the renderers of
// one command.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/events/stack_source.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/symbolize/source_lines.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::analysis {

// Which frames of a stack are shown.
enum class FrameView : std::uint8_t {
  folded,  // frames of the program's own code or of scripts
  all,
  native,  // native frames only
};

class StackCache {
 public:
  // Both must outlive the cache.
  StackCache(const StackSource& source, symbolize::Symbolizer& symbolizer,
             FrameView view = FrameView::folded)
      : source_(source), symbolizer_(symbolizer), view_(view) {}

  // For display. Innermost first; empty if no stack was recorded. Valid as long as the cache.
  const std::vector<symbolize::Frame>& frames(StackRef ref) {
    if (view_ != FrameView::native) return code(ref);
    const auto [entry, fresh] = native_.try_emplace(key(ref));
    if (fresh && ref.id != 0) entry->second = symbolizer_.native_stack(source_, ref);
    return entry->second;
  }

  // To identify code: the same frames whatever is displayed.
  const std::vector<symbolize::Frame>& code(StackRef ref) {
    const auto [entry, fresh] = cache_.try_emplace(key(ref));
    if (!fresh || ref.id == 0) return entry->second;
    entry->second = symbolizer_.stack(source_, ref);
    for (symbolize::Frame& frame : entry->second) {
      frame.folded = frame.folded && view_ == FrameView::folded;
      if (!frame.script) (frame.folded ? folded_ : shown_).insert(frame.module);
    }
    return entry->second;
  }

  // For a program that is no script, or a script given as text (sh -c): the stack of the script
  // that started it, or of its starter, and so on up to the first that is a file.
  std::vector<const std::vector<symbolize::Frame>*> starters(StackRef ref) {
    std::vector<const std::vector<symbolize::Frame>*> out;
    if (ref.id == 0 || view_ == FrameView::native) return out;
    StackRef at = source_.started(ref.segment);
    for (int i = 0; at.id != 0 && i < kGenerations; ++i) {
      if (of_script(at)) out.push_back(&code(at));
      if (is_of_file(at)) break;
      at = source_.started(at.segment);
    }
    // Last, for a program has many more stacks than starts.
    if (!out.empty() && is_of_file(ref)) out.clear();
    return out;
  }

  const StackSource& source() const { return source_; }
  FrameView view() const { return view_; }

  // From now on line_of() returns source lines.
  void show_sources(symbolize::SourceLines sources) { sources_.emplace(std::move(sources)); }
  const symbolize::SourceLine& line_of(const symbolize::Frame& frame) {
    static const symbolize::SourceLine kUnknown;
    return sources_ ? sources_->line(frame) : kUnknown;
  }

  // Why frames of the stacks so far may have no names: Symbolizer::notes().
  const std::vector<std::string>& symbol_notes() const { return symbolizer_.notes(); }
  // Why there may be no script frames.
  std::vector<std::string> notes() const {
    std::vector<std::string> notes = symbolize::runtime_notes(source_.runtimes());
    for (const std::string& note : symbol_notes()) {
      // Names are not needed for frames that are not displayed.
      const std::string module = note.substr(0, note.find(": "));
      if (folded_.count(module) == 0 || shown_.count(module) != 0) notes.push_back(note);
    }
    return notes;
  }

  static std::uint64_t key(StackRef ref) {
    return static_cast<std::uint64_t>(ref.segment) << 32 | ref.id;
  }

 private:
  static constexpr int kGenerations = 64;

  bool of_script(StackRef ref) {
    const symbolize::Frame* frame = symbolize::culprit(code(ref));
    return frame != nullptr && frame->script;
  }
  bool is_of_file(StackRef ref) {
    const symbolize::Frame* frame = symbolize::culprit(code(ref));
    return frame != nullptr && frame->script && !symbolize::is_given_text(*frame);
  }

  const StackSource& source_;
  symbolize::Symbolizer& symbolizer_;
  const FrameView view_;
  std::optional<symbolize::SourceLines> sources_;
  std::unordered_map<std::uint64_t, std::vector<symbolize::Frame>> cache_, native_;
  std::set<std::string> folded_, shown_;  // modules of frames
};

}  // namespace umaskaudit::analysis
