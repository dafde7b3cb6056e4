// Recognises repeated pairs of changes and writes them as folds; see fold.h.

#include "preload/mask/fold.h"

#include "preload/record/segment.h"
#include "preload/trace/checksum.h"

namespace umaskaudit::shim {

namespace {

// The first fold of a context starts only after so many changes in a row, so that a process that
// toggles a few times does not take one of the segment's few cells. Later folds start after two.
constexpr std::uint32_t kLearn = 8;
constexpr std::uint32_t kLearnAgain = 2;
// A fold ends after this time even if nothing interrupts it, for readers of a growing run.
constexpr std::uint64_t kLongest = 60'000'000'000;

constexpr std::uint32_t kNoCell = UINT32_MAX;

// The latest changes of a context, as a pattern. Written only by the thread that holds `busy`.
struct Pattern {
  std::atomic<std::uint32_t> busy = 0;
  std::uint32_t tid = 0;
  std::uint32_t pid = 0;
  std::uint32_t known = 0;     // changes in a row that alternate between two sites
  std::uint32_t meetings = 0;  // FsContext::meetings, and
  std::uint16_t records = 0;   // ThreadState::records at the last of them
  std::uint32_t cell = kNoCell;
  std::uint32_t copy = 0;         // index of the cell's copy that was written last
  bool open = false;              // a fold is in progress
  std::uint64_t last = 0;         // number
  trace::FoldSite sites[2] = {};  // by parity of the number
  trace::FoldBegin begin = {};
  trace::FoldState state = {};
};

// Not in the table of contexts: most processes never touch these pages.
constinit Pattern patterns[kContexts];
constinit std::atomic<std::uint32_t> patterns_used = 0;  // patterns in use

trace::FoldSite site_of(const trace::Umask& record) {
  return {record.stack, record.argument, record.old_mask, record.new_mask, record.call, 0};
}

bool same(const trace::FoldSite& a, const trace::FoldSite& b) {
  return a.stack == b.stack && a.argument == b.argument && a.old_mask == b.old_mask &&
         a.new_mask == b.new_mask && a.call == b.call;
}

bool same_task(const Pattern& pattern, const Author& author) {
  return author.tid == pattern.tid && author.pid == pattern.pid;
}

std::uint64_t owner_of(const Author& author) {
  return std::uint64_t{author.pid} << 32 | author.tid;
}

// The cell of this pattern, or a free one, which it takes for good. Null: none.
trace::FoldCell* own_cell(Pattern& pattern, const Author& author) {
  if (pattern.cell != kNoCell) {
    trace::FoldCell* cell = fold_cell(pattern.cell);
    if (cell != nullptr) __atomic_store_n(&cell->owner, owner_of(author), __ATOMIC_RELAXED);
    return cell;
  }
  for (std::uint32_t i = 0; i < trace::kFolds; ++i) {
    trace::FoldCell* cell = fold_cell(i);
    if (cell == nullptr) return nullptr;
    std::uint64_t free = 0;
    if (__atomic_load_n(&cell->owner, __ATOMIC_RELAXED) != 0 ||
        !__atomic_compare_exchange_n(&cell->owner, &free, owner_of(author), false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
      continue;
    }
    pattern.cell = i;
    return cell;
  }
  return nullptr;
}

// Writes into the older of the two copies. A SIGKILL may come between any two instructions: when
// the checksum is there, the data before it is too.
void store(Pattern& pattern, trace::FoldCell& cell) {
  pattern.copy ^= 1;
  trace::FoldCell::Copy& copy = cell.copies[pattern.copy];
  const std::uint64_t check = trace::fold_checksum(pattern.state, cell.check);
  __atomic_store_n(&copy.check, 0, __ATOMIC_RELAXED);
  std::atomic_thread_fence(std::memory_order_release);
  __builtin_memcpy(&copy.state, &pattern.state, sizeof copy.state);
  __atomic_store_n(&copy.check, check, __ATOMIC_RELEASE);
}

void clear(trace::FoldCell& cell) {
  for (trace::FoldCell::Copy& copy : cell.copies) {
    __atomic_store_n(&copy.check, 0, __ATOMIC_RELEASE);
  }
}

// False: no cell is free.
bool begin_fold(Pattern& pattern, const Author& author, const trace::Umask& record) {
  trace::FoldCell* const cell = own_cell(pattern, author);
  if (cell == nullptr) return false;
  pattern.begin = {};
  pattern.begin.context = record.context;
  pattern.begin.sites[0] = pattern.sites[record.change % 2];
  pattern.begin.sites[1] = pattern.sites[(record.change + 1) % 2];
  pattern.begin.first = record.change;
  pattern.begin.first_ns = author.time_ns;
  pattern.state = {};
  pattern.state.last = record.change;
  for (std::uint64_t& time : pattern.state.latest_ns) time = author.time_ns;
  for (std::uint64_t& time : pattern.state.shortest_ns) time = UINT64_MAX;
  clear(*cell);
  __builtin_memcpy(&cell->begin, &pattern.begin, sizeof cell->begin);
  const std::uint64_t check = trace::fold_checksum(pattern.begin, owner_of(author));
  __atomic_store_n(&cell->check, check, __ATOMIC_RELEASE);
  store(pattern, *cell);
  pattern.open = true;
  return true;
}

// False: the header cannot be written to at the moment.
bool extend(Pattern& pattern, const Author& author, std::uint64_t change) {
  trace::FoldCell* const cell = fold_cell(pattern.cell);
  if (cell == nullptr) return false;
  trace::FoldState& state = pattern.state;
  const std::uint64_t before = state.latest_ns[0];
  const std::uint64_t held = author.time_ns > before ? author.time_ns - before : 0;
  const std::uint64_t site = (change - pattern.begin.first) % 2;
  state.last = change;
  if (state.second_ns == 0) state.second_ns = author.time_ns;
  state.latest_ns[2] = state.latest_ns[1];
  state.latest_ns[1] = before;
  state.latest_ns[0] = author.time_ns;
  state.total_ns[site] += held;
  if (held < state.shortest_ns[site]) state.shortest_ns[site] = held;
  if (held > state.longest_ns[site]) state.longest_ns[site] = held;
  store(pattern, *cell);
  return true;
}

// Writes the fold as a record and empties its cell. Where the segment has no room for a record, the
// cell keeps the fold for good.
[[gnu::noinline]] void end_fold(Pattern& pattern, FsContext& context) {
  pattern.open = false;
  context.folding.store(0);
  const Author last{pattern.tid, pattern.pid, pattern.state.latest_ns[0], 0};
  const trace::Fold record{pattern.begin, pattern.state};
  trace::FoldCell* const cell = fold_cell(pattern.cell);
  // a Fold record is as long as so many Umask records
  constexpr std::uint32_t kLikeChanges = 3;
  if (cell != nullptr && take_room_for_changes(kLikeChanges) &&
      write_record(trace::RecordType::fold, last, record)) {
    clear(*cell);
  } else {
    pattern.cell = kNoCell;
  }
}

// Whether this change continues the pattern: nothing was recorded since the last change, and it
// equals the last change but one.
bool repeats(const Pattern& pattern, const Author& author, const trace::Umask& record,
             std::uint32_t meetings) {
  return record.change == pattern.last + 1 && same_task(pattern, author) &&
         meetings == pattern.meetings && thread_state.records == pattern.records &&
         same(pattern.sites[record.change % 2], site_of(record));
}

// True: the change was added to a fold.
bool fold(Pattern& pattern, FsContext& context, const Author& author, const trace::Umask& record) {
  const std::uint32_t meetings = context.meetings.load();
  const bool again = repeats(pattern, author, record, meetings);
  if (pattern.open) {
    const bool timely = author.time_ns - pattern.begin.first_ns < kLongest;
    if (again && timely && extend(pattern, author, record.change)) {
      pattern.last = record.change;
      return true;
    }
    end_fold(pattern, context);
    pattern.known = 0;
  } else if (again && pattern.known >= (pattern.cell == kNoCell ? kLearn : kLearnAgain) &&
             begin_fold(pattern, author, record)) {
    context.folding.store(1);
    pattern.last = record.change;
    pattern.meetings = context.meetings.load();
    return true;
  }
  // Directly after the last change, but not necessarily equal to the last but one.
  const bool next = pattern.known != 0 && record.change == pattern.last + 1 &&
                    same_task(pattern, author) && thread_state.records == pattern.records;
  const bool alike = !next || pattern.known < 2 || again;
  pattern.known = next && alike ? pattern.known + 1 : next ? 2 : 1;
  return false;
}

void note_use(std::uint32_t count) {
  std::uint32_t known = patterns_used.load(std::memory_order_relaxed);
  while (known < count && !patterns_used.compare_exchange_weak(known, count)) {
  }
}

void write_alone(const Author& author, const trace::Umask& record) {
  if (!process.trace) return;
  if (take_room_for_changes(1)) {
    write_record(trace::RecordType::umask, author, record);
  } else {
    count_refused_change(author.time_ns, record);
  }
}

}  // namespace

void write_mask_change(const Task& task, const Author& author, const trace::Umask& record) {
  const bool may_fold = process.trace && process.options.fold && task.context != nullptr &&
                        author.flags == 0 && !process.shares_fs.load(std::memory_order_relaxed);
  Pattern* const pattern = may_fold ? &patterns[task.context - contexts] : nullptr;
  if (pattern == nullptr || pattern->busy.exchange(1) != 0) return write_alone(author, record);
  if (!fold(*pattern, *task.context, author, record)) {
    write_alone(author, record);
    if (pattern->tid == 0) note_use(static_cast<std::uint32_t>(pattern - patterns) + 1);
    pattern->tid = author.tid;
    pattern->pid = author.pid;
    pattern->last = record.change;
    pattern->meetings = task.context->meetings.load();
    pattern->records = thread_state.records;
    pattern->sites[record.change % 2] = site_of(record);
  }
  pattern->busy.store(0, std::memory_order_release);
}

void end_met_fold(const Task& task) {
  if (task.context == nullptr || __builtin_expect(task.context->folding.load() == 0, 1)) return;
  Pattern& pattern = patterns[task.context - contexts];
  if (pattern.busy.exchange(1) != 0) return;  // busy: the next change ends the fold
  if (pattern.open) end_fold(pattern, *task.context);
  pattern.known = 0;
  pattern.busy.store(0, std::memory_order_release);
}

void forget_folds() {
  for (std::uint32_t i = patterns_used.exchange(0); i-- > 0;) {
    Pattern& pattern = patterns[i];
    pattern.busy.store(0, std::memory_order_relaxed);
    pattern.tid = 0;
    pattern.known = 0;
    pattern.open = false;
    pattern.cell = kNoCell;
    pattern.last = 0;
  }
}

}  // namespace umaskaudit::shim
