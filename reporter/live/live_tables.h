// The four tables of `top`: which rows there are, in which order, and as lines.
// Must never hide a row without counting it, nor show a byte of the program unescaped.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/live/live_view.h"
#include "reporter/text/style.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::live {

enum class Pane : std::uint8_t { threads, contexts, creations, findings };
inline constexpr std::array kPanes{Pane::threads, Pane::contexts, Pane::creations, Pane::findings};

// Orders of the threads: of numbers the largest first, of names and pids the smallest.
enum class ThreadOrder : std::uint8_t { changes, created, latest, name, pid };
const char* thread_order_name(ThreadOrder order);

struct LiveQuery {
  ThreadOrder order = ThreadOrder::changes;
  bool reversed = false;
  std::string filter;  // empty: everything; else a part of a path, of a process or of a thread
};

// What is shown besides the events.
struct LiveFacts {
  std::string directory;  // raw
  std::uint64_t begin_ns = 0;
  bool over = false;                        // run_is_over()
  std::unordered_set<std::uint32_t> ended;  // processes that are known to have ended
  std::vector<FindingLine> findings;
  std::string findings_note;  // what they are: "so far"
};

class LiveTables {
 public:
  // All three must outlive the tables.
  LiveTables(const LiveView& view, const LiveFacts& facts, const LiveQuery& query);

  std::size_t size(Pane pane) const;
  std::size_t hidden(Pane pane) const;
  // Names a row whatever its place: 0 is none's.
  std::uint64_t id(Pane pane, std::size_t row) const;
  const FindingLine& finding(std::size_t row) const { return *findings_[row]; }
  // The thread of a row in another table; without a tid: it has none.
  analysis::ThreadId thread(Pane pane, std::size_t row) const;

  // A line of titles, then `rows` from `first` on. The titles say which rows these are, where they
  // are not all, and by what the threads are sorted.
  std::string text(Pane pane, std::size_t first, std::size_t rows, std::size_t width, Paint paint,
                   analysis::StackCache& stacks) const;

 private:
  void choose();
  void sort_threads();
  std::string range(Pane pane, std::size_t first, std::size_t rows) const;
  void add_thread(TextTable& table, const LiveThread& thread, analysis::StackCache& stacks) const;

  const LiveView& view_;
  const LiveFacts& facts_;
  const LiveQuery& query_;
  std::vector<const LiveThread*> threads_;
  std::vector<const LiveContext*> contexts_;
  std::vector<const LiveCreation*> creations_;
  std::vector<const FindingLine*> findings_;
};

}  // namespace umaskaudit::live
