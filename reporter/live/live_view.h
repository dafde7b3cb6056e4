// LiveView: what `top` shows, gathered while a run grows: threads, fs contexts, latest creations,
// counts. Must never grow with the run: beyond a cap the entry that has been idle longest is
// replaced. Can be copied: a stopped picture is a copy.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/analysis/summary.h"
#include "reporter/events/events.h"
#include "reporter/rules/finding.h"
#include "reporter/text/style.h"

namespace umaskaudit::live {

// A thread, or a process where `tid` is 0, as a key.
inline std::uint64_t id_of(analysis::ThreadId thread) {
  return std::uint64_t{thread.pid} << 32 | thread.tid;
}

// A finding as the screen shows it. All text is escaped; FindingForm says whether it is coloured.
struct FindingLine {
  std::uint64_t id = 0;  // the same each time it is looked for
  rules::Severity severity = rules::Severity::note;
  bool settled = true;                      // no later event can make it untrue
  std::uint64_t time_ns = 0;                // of the latest that it names
  std::vector<std::string> names;           // what it is called from one look to the next
  std::string text;                         // one line
  std::string more;                         // lines with their newline, as FindingForm says
  std::vector<analysis::ThreadId> threads;  // culprits and victims
  std::string record;                       // as a collector gets it; may be empty
};

// One kind of change that a thread made at one place.
struct LiveChange {
  Mode old_mask = 0, new_mask = 0;
  StackRef stack;
  std::uint64_t count = 0;
  std::uint64_t time_ns = 0;  // of the latest
};

struct LiveThread {
  analysis::ThreadId key;
  std::string name;  // raw
  std::uint32_t fs = 0;
  std::uint64_t changes = 0, created = 0;
  std::uint64_t first_ns = 0, time_ns = 0;
  LiveChange last;
  std::vector<LiveChange> kinds;
  std::uint64_t other_changes = 0;  // of kinds beyond the cap
};

struct LiveContext {
  std::uint32_t fs = 0;
  Mode mask = 0;
  std::uint64_t changes = 0;
  std::uint64_t time_ns = 0;  // since when
  analysis::ThreadId setter;  // of the mask in force; without a tid: inherited
  std::string setter_name;    // raw
};

struct LiveCreation {
  std::uint64_t number = 0;  // 1, 2, ... in the order of the events
  std::uint64_t time_ns = 0;
  analysis::ThreadId thread;
  std::string name, path;  // raw
  std::string text;        // escaped: what happened
  Style style = Style::plain;
};

class LiveView {
 public:
  void feed(const Event& event);

  struct Counts {
    std::uint64_t changes = 0, created = 0, blind = 0, lost = 0;
    std::uint64_t events = 0;
    std::uint64_t end_ns = 0;
  };
  const Counts& counts() const { return counts_; }
  const std::unordered_map<std::uint64_t, LiveThread>& threads() const { return threads_; }
  const std::unordered_map<std::uint32_t, LiveContext>& contexts() const { return contexts_; }
  const std::deque<LiveCreation>& creations() const { return creations_; }  // the latest first
  const LiveThread* thread(analysis::ThreadId key) const;
  const LiveContext* context(std::uint32_t fs) const;
  // Raw: the program's path, or its short name; empty: not known.
  const std::string& program(std::uint32_t pid) const;

 private:
  struct Program {
    std::string name;
    std::uint64_t time_ns = 0;
  };
  LiveThread& thread_of(const EventBase& base);
  LiveContext& context_of(const EventBase& base);
  void remember(const EventBase& base, const Event& event, std::string_view path, Style style);
  void see(const UmaskEvent& event);

  std::unordered_map<std::uint64_t, LiveThread> threads_;
  std::unordered_map<std::uint32_t, LiveContext> contexts_;
  std::unordered_map<std::uint32_t, Program> programs_;
  std::deque<LiveCreation> creations_;
  std::uint64_t told_ = 0;
  Counts counts_;
};

}  // namespace umaskaudit::live
