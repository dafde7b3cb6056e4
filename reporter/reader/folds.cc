#include "reporter/reader/folds.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>

#include "preload/trace/checksum.h"

namespace umaskaudit::reader {
namespace {

std::uint64_t difference(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

unsigned site_of(const trace::Fold& fold, std::uint64_t change) {
  return static_cast<unsigned>((change - fold.begin.first) % 2);
}

// How long the masks before the remaining changes had been in force, by site.
class Remainder {
 public:
  explicit Remainder(const trace::Fold& fold) {
    const trace::FoldState& state = fold.state;
    const std::uint64_t behind_first = state.last - fold.begin.first;
    for (unsigned site = 0; site < 2; ++site) total_ns_[site] = state.total_ns[site];
    if (behind_first >= 1) take(1, difference(state.second_ns, fold.begin.first_ns));
    for (std::uint64_t back = 0; back < 2 && behind_first > back + 1; ++back) {
      take(site_of(fold, state.last - back),
           difference(state.latest_ns[back], state.latest_ns[back + 1]));
    }
  }
  void take(unsigned site, std::uint64_t ns) { total_ns_[site] = difference(total_ns_[site], ns); }
  // The part of `count` changes, out of `left` that have no duration yet.
  std::uint64_t share(unsigned site, std::uint64_t count, std::uint64_t left) {
    const std::uint64_t each = total_ns_[site] / left;
    const std::uint64_t ns = count == left ? total_ns_[site] : each * count;
    take(site, ns);
    return ns;
  }

 private:
  std::uint64_t total_ns_[2];
};

}  // namespace

std::vector<FoldFact> read_fold_cells(const SegmentFile::Reader& file, const Segment& segment) {
  std::vector<FoldFact> found;
  if (segment.header_damaged) return found;
  const trace::SegmentHeader& header = segment.header;
  const std::uint64_t begin = sizeof header + std::uint64_t{header.repeats} * sizeof(trace::Repeat);
  if (begin > header.header_length) return found;
  const std::uint64_t room = (header.header_length - begin) / sizeof(trace::FoldCell);
  std::vector<trace::FoldCell> cells(
      static_cast<std::size_t>(std::min<std::uint64_t>(header.folds, room)));
  const std::size_t size = cells.size() * sizeof(trace::FoldCell);
  if (size == 0 || file.read(begin, cells.data(), size) != size) return found;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const trace::FoldCell& cell = cells[i];
    if (cell.check != trace::fold_checksum(cell.begin, cell.owner)) continue;
    const trace::FoldState* latest = nullptr;
    for (const auto& copy : cell.copies) {
      if (copy.check != trace::fold_checksum(copy.state, cell.check)) continue;
      if (latest == nullptr || copy.state.last > latest->last) latest = &copy.state;
    }
    if (latest == nullptr) continue;
    FoldFact fact;
    fact.fold = {cell.begin, *latest};
    fact.offset = begin + i * sizeof cell;
    fact.head.pid = static_cast<std::uint32_t>(cell.owner >> 32);
    fact.head.tid = static_cast<std::uint32_t>(cell.owner);
    if (is_sound(fact.fold)) found.push_back(fact);
  }
  return found;
}

void add_cells(const std::vector<FoldFact>& cells, Segment* segment) {
  std::set<std::pair<std::uint32_t, std::uint64_t>> known;
  if (cells.empty()) return;
  for (const FoldFact& fact : segment->folds) {
    known.emplace(fact.fold.begin.context, fact.fold.begin.first);
  }
  for (const FoldFact& fact : cells) {
    if (known.emplace(fact.fold.begin.context, fact.fold.begin.first).second) {
      learn_fold(fact, segment);
    }
  }
}

std::vector<std::uint64_t> timed_changes(const trace::Fold& fold) {
  const std::uint64_t last = fold.state.last;
  std::vector<std::uint64_t> changes;
  for (const std::uint64_t change :
       {fold.begin.first, fold.begin.first + 1, difference(last, 2), difference(last, 1), last}) {
    if (change <= last && (changes.empty() || change > changes.back())) changes.push_back(change);
  }
  return changes;
}

std::vector<FoldPart> parts_of(const trace::Fold& fold, const std::vector<std::uint64_t>& named) {
  std::vector<FoldPart> parts;
  Remainder remainder(fold);
  // As recorded: pairs of adjacent changes, and a single one if one is left over.
  const trace::FoldState& state = fold.state;
  std::uint64_t next = fold.begin.first;
  std::uint64_t left[2] = {0, 0};
  const auto add = [&](std::uint64_t change, std::uint64_t count) {
    const unsigned site = site_of(fold, change);
    const std::uint64_t behind = parts.empty() ? 1 : change - parts.back().change;
    parts.push_back({change, {count, state.shortest_ns[site], state.longest_ns[site], 0, behind}});
    left[site] += count;
  };
  for (const std::uint64_t change : named) {
    const std::uint64_t pairs = (change + 1 - next) / 2;
    if (pairs != 0 && next != change) {
      add(next + 2 * pairs - 2, pairs);
      add(next + 2 * pairs - 1, pairs);
      next += 2 * pairs;
      if (next == change) add(next++, 1);
    }
    if (next == change) parts.push_back({next++, {}});
  }
  for (FoldPart& part : parts) {
    if (!part.span.has_times()) continue;
    const unsigned site = site_of(fold, part.change);
    part.span.total_ns = remainder.share(site, part.span.count, left[site]);
    left[site] -= part.span.count;
  }
  return parts;
}

Record FoldedChange::make(const FoldFact& fact, std::uint64_t change) {
  const trace::FoldSite& site = fact.fold.begin.sites[site_of(fact.fold, change)];
  trace::RecordHeader head = fact.head;
  head.length = sizeof bytes_;
  head.type = static_cast<std::uint16_t>(trace::RecordType::umask);
  head.flags = 0;
  head.repeat = 0;
  trace::Umask umask{};
  umask.context = fact.fold.begin.context;
  umask.stack = site.stack;
  umask.change = change;
  umask.argument = site.argument;
  umask.old_mask = umask.cached = site.old_mask;
  umask.new_mask = site.new_mask;
  umask.call = site.call;
  std::memcpy(bytes_, &head, sizeof head);
  std::memcpy(bytes_ + sizeof head, &umask, sizeof umask);
  Record record;
  read_record(bytes_, fact.offset, &record);
  return record;
}

FoldQueue::FoldQueue(const Segment& segment, bool is_folds_lane, Folds folds)
    : segment_(segment), expand_(folds == Folds::expanded) {
  for (std::uint32_t i = 0; is_folds_lane && i < segment.folds.size(); ++i) {
    push({{}, i, segment.folds[i].fold.begin.first, 0});
  }
}

void FoldQueue::push(Cursor cursor) {
  const FoldFact& fact = segment_.folds[cursor.fold];
  const auto history = segment_.histories.find(fact.fold.begin.context);
  if (history == segment_.histories.end()) return;
  const auto change = history->second.find(cursor.change, fact.offset);
  if (!change) return;  // another record claims to be that change
  cursor.key = {change->time_ns, change->id * 2};
  cursors_.push(cursor);
}

// A change that something refers to has an entry of its own, and so has the next one.
const std::vector<FoldPart>& FoldQueue::parts(std::uint32_t fold) {
  const auto [found, fresh] = parts_.try_emplace(fold);
  if (!fresh) return found->second;
  const FoldFact& fact = segment_.folds[fold];
  const MaskHistory& history = segment_.histories.at(fact.fold.begin.context);
  std::vector<std::uint64_t> named;
  for (std::size_t i = history.entry_of(fact.fold.begin.first);
       i < history.changes().size() && history.changes()[i].change <= fact.fold.state.last; ++i) {
    named.push_back(history.changes()[i].change);
  }
  return found->second = parts_of(fact.fold, named);
}

Record FoldQueue::read() {
  const Cursor& cursor = cursors_.top();
  span_ = expand_ ? FoldSpan{} : parts(cursor.fold)[cursor.part].span;
  return change_.make(segment_.folds[cursor.fold], cursor.change);
}

void FoldQueue::pop() {
  Cursor cursor = cursors_.top();
  cursors_.pop();
  if (expand_) {
    if (cursor.change++ < segment_.folds[cursor.fold].fold.state.last) push(cursor);
    return;
  }
  const std::vector<FoldPart>& all = parts(cursor.fold);
  if (++cursor.part < all.size()) {
    cursor.change = all[cursor.part].change;
    push(cursor);
  } else {
    parts_.erase(cursor.fold);
  }
}

}  // namespace umaskaudit::reader
