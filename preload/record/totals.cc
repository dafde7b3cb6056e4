#include "preload/record/totals.h"

#include <cstddef>
#include <cstring>
#include <iterator>

#include "preload/record/counters.h"
#include "preload/record/intern.h"

namespace umaskaudit::shim {

namespace {

using trace::RecordHeader;
using trace::RecordType;
using trace::Total;

constexpr std::uint32_t kBySite = trace::kTotals - trace::kTotalsOfMany;
// the last cell counts what has no cell
constexpr std::uint32_t kOfMany = trace::kTotalsOfMany - 1;
constexpr unsigned kProbe = 32;

// The column of record_types.def.
bool is_counted(std::uint16_t type) {
  constexpr bool kCounted[] = {
#define RECORD(identifier, number, structure, event, stack, context, order, use, living, counted) \
  counted,
#include "preload/trace/record_types.def"
#undef RECORD
  };
  return type < std::size(kCounted) && kCounted[type];
}

// The payload as that type; null: another type, or too short.
template <typename Payload>
const Payload* payload_of(const RecordHeader& record, RecordType type) {
  const bool fits = record.type == static_cast<std::uint16_t>(type) &&
                    record.length >= sizeof record + sizeof(Payload);
  return fits ? reinterpret_cast<const Payload*>(&record + 1) : nullptr;
}

// The key of a cell is the hash of the members after its times.
constexpr std::size_t kWhich = offsetof(Total, stack);
std::uint64_t key_of(const Total& total) { return hash_bytes(&total.stack, sizeof total - kWhich); }

// The earlier of two times, where 0 is none.
void keep_earlier(std::uint64_t& kept, std::uint64_t time) {
  std::uint64_t known = __atomic_load_n(&kept, __ATOMIC_RELAXED);
  while (
      (known == 0 || time < known) &&
      !__atomic_compare_exchange_n(&kept, &known, time, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

void add_to(Total& cell, const Total& total) {
  keep_earlier(cell.first_ns, total.first_ns);
  raise(cell.last_ns, total.last_ns);
  add(cell.count, total.count);
}

// Null: no cell is free.
Total* cell_of(Total* cells, std::uint32_t count, const Total& total) {
  const std::uint64_t key = key_of(total);
  for (unsigned step = 0; step < kProbe && step < count; ++step) {
    Total& cell = cells[((key >> 20) + step) % count];
    std::uint64_t there = __atomic_load_n(&cell.key, __ATOMIC_ACQUIRE);
    if (there == key) return &cell;
    if (there != 0) continue;
    if (__atomic_compare_exchange_n(&cell.key, &there, key, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
      memcpy(&cell.stack, &total.stack, sizeof total - kWhich);
      return &cell;
    }
    if (there == key) return &cell;
  }
  return nullptr;
}

void count(Total* cells, Total total) {
  if (total.count == 0) return;
  Total* cell = cell_of(cells, kBySite, total);
  if (cell == nullptr) {
    total.stack = 0;
    cell = cell_of(cells + kBySite, kOfMany, total);
  }
  if (cell == nullptr) {
    cell = &cells[trace::kTotals - 1];
    __atomic_store_n(&cell->key, 1, __ATOMIC_RELAXED);  // of any type
  }
  add_to(*cell, total);
}

// Adds the repeats that the header counted for this creation. The next such call gets a record
// again.
std::uint64_t take_repeats(trace::SegmentHeader& header, std::uint32_t number) {
  if (number == 0 || number > trace::kRepeats) return 0;
  auto& repeat = reinterpret_cast<trace::Repeat*>(&header + 1)[number - 1];
  const std::uint64_t count = __atomic_exchange_n(&repeat.count, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&repeat.place, 0, __ATOMIC_RELAXED);
  return count;
}

Total one_at(RecordType type, std::uint64_t time_ns) {
  Total total{};
  total.count = 1;
  total.type = static_cast<std::uint16_t>(type);
  total.first_ns = total.last_ns = time_ns;
  return total;
}

void add_fold(Total* cells, std::uint64_t last_ns, const trace::Fold& fold) {
  const std::uint64_t changes = fold.state.last - fold.begin.first + 1;
  Total total = one_at(RecordType::umask, last_ns);
  total.first_ns = fold.begin.first_ns;
  for (unsigned i = 0; i < 2; ++i) {
    const trace::FoldSite& site = fold.begin.sites[i];
    total.stack = site.stack;
    total.call = site.call;
    total.mask = site.old_mask;
    total.mode = site.new_mask;
    total.count = (changes + 1 - i) / 2;
    count(cells, total);
  }
}

}  // namespace

const trace::Create* creation_of(const RecordHeader& record) {
  return payload_of<trace::Create>(record, RecordType::create);
}

std::uint64_t changes_of(const RecordHeader& record) {
  if (payload_of<trace::Umask>(record, RecordType::umask) != nullptr) return 1;
  const auto* fold = payload_of<trace::Fold>(record, RecordType::fold);
  return fold != nullptr ? fold->state.last - fold->begin.first + 1 : 0;
}

void add_change_to_totals(Total* cells, std::uint64_t time_ns, const trace::Umask& change) {
  Total total = one_at(RecordType::umask, time_ns);
  total.stack = change.stack;
  total.call = change.call;
  total.mask = change.old_mask;
  total.mode = change.new_mask;
  count(cells, total);
}

void add_to_totals(Total* cells, trace::SegmentHeader& header, const RecordHeader& record) {
  if (const auto* umask = payload_of<trace::Umask>(record, RecordType::umask)) {
    return add_change_to_totals(cells, record.time_ns, *umask);
  }
  if (const auto* fold = payload_of<trace::Fold>(record, RecordType::fold)) {
    return add_fold(cells, record.time_ns, *fold);
  }
  if (!is_counted(record.type)) return;
  Total total = one_at(static_cast<RecordType>(record.type), record.time_ns);
  if (const auto* create = creation_of(record)) {
    total.stack = create->stack;
    total.call = create->call;
    total.mask = create->mask_before;
    total.mode = create->final_mode;
    total.kind = create->kind;
    total.created = create->created;
    total.requested = create->requested;
    total.error = create->error;
    total.count += take_repeats(header, record.repeat);
  } else if (const auto* chmod = payload_of<trace::Chmod>(record, RecordType::chmod)) {
    total.stack = chmod->stack;
    total.call = chmod->call;
    total.mode = chmod->final_mode;
    total.requested = chmod->requested;
    total.error = chmod->error;
  } else if (const auto* exec = payload_of<trace::Exec>(record, RecordType::exec)) {
    total.stack = exec->stack;
    total.call = exec->call;
  } else if (const auto* rename = payload_of<trace::Rename>(record, RecordType::rename)) {
    total.stack = rename->stack;
    total.call = rename->call;
    total.error = rename->error;
  }
  count(cells, total);
}

}  // namespace umaskaudit::shim
