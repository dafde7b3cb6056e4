// The screen of `top`: threads, fs contexts, latest creations and findings of a run as it grows.
// Must never grow with the run: threads and contexts beyond a cap replace the longest at rest.
// Called by `top`.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/rules/finding.h"
#include "reporter/text/style.h"

namespace umaskaudit {

// Orders of the threads, each with the largest first.
enum class ThreadOrder { changes, created, latest };
const char* thread_order_name(ThreadOrder order);

// A finding as the screen shows it; the text is escaped and one line.
struct FindingLine {
  Severity severity = Severity::note;
  std::string text;
};

// What a frame shows besides the events.
struct LiveFrame {
  std::string title;  // escaped
  std::uint64_t begin_ns = 0;
  ThreadOrder order = ThreadOrder::changes;
  std::vector<FindingLine> findings;
  std::string findings_note;  // what they are: "so far"
  std::string footer;         // the keys; empty: none
  Paint paint{false};
  std::size_t width = 0;   // columns; 0: no limit
  std::size_t height = 0;  // lines at most; 0: twenty rows of each table
};

class LiveView {
 public:
  void feed(const Event& event);
  // The lines of a frame, each with its newline. Stacks are looked up for threads that are shown.
  std::string text(const LiveFrame& frame, StackCache& stacks) const;

 private:
  struct Thread {
    std::string name;  // raw
    std::uint32_t pid = 0, tid = 0;
    std::uint64_t changes = 0, created = 0;
    std::uint64_t time_ns = 0;  // of the latest of both
    Mode old_mask = 0, new_mask = 0;
    StackRef stack;  // of the latest change
  };
  struct Context {
    std::uint32_t fs = 0;
    Mode mask = 0;
    std::uint64_t changes = 0;
    std::uint64_t time_ns = 0;  // since when
    std::string setter;         // escaped; empty: inherited
  };
  struct Latest {
    std::uint64_t time_ns = 0;
    std::string thread, text;  // escaped
    Style style = Style::plain;
  };

  Thread& thread_of(const EventBase& base);
  Context& context_of(const EventBase& base);
  void remember(const EventBase& base, const Event& event, Style style);
  void append_threads(std::string& out, const LiveFrame& frame, StackCache& stacks,
                      std::size_t rows) const;
  void append_contexts(std::string& out, const LiveFrame& frame, std::size_t rows) const;
  void append_latest(std::string& out, const LiveFrame& frame, std::size_t rows) const;

  std::unordered_map<std::uint64_t, Thread> threads_;
  std::unordered_map<std::uint32_t, Context> contexts_;
  std::deque<Latest> latest_;
  std::uint64_t changes_ = 0, created_ = 0, blind_ = 0, lost_ = 0;
  std::uint64_t end_ns_ = 0;
};

}  // namespace umaskaudit
