#include "reporter/reader/ordering.h"

#include <algorithm>

#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {

namespace {

// The last change that precedes a record's event, and how many later ones may precede it too.
struct Place {
  std::uint64_t change = 0;
  std::uint64_t reach = 0;
};

template <typename Facts>
Place place_of(const Record&, const Facts& facts) {
  return {facts.change, 0};
}
Place place_of(const Record& record, const trace::Create& facts) {
  return {facts.change_after, (record.head.flags & trace::kBusy) != 0 ? 1u : 0u};
}

}  // namespace

OrderKey Ordering::key_of(const Record& record) {
  OrderKey key{record.head.time_ns, 0};
  visit_record(record, [&]<typename Facts>(const Facts& facts) {
    if constexpr (kTraits<Facts>.ordered_by == OrderedBy::own_change) {
      const MaskHistory* changes = history(facts.context);
      const auto own =
          changes == nullptr ? std::nullopt : changes->find(facts.change, record.offset);
      if (own) key = {own->time_ns, own->id * 2};
    } else if constexpr (kTraits<Facts>.ordered_by == OrderedBy::change) {
      const Place place = place_of(record, facts);
      key = among_changes(record, facts.context, place.change, place.reach);
    }
  });
  return key;
}

// Between mask change `change` and the next one, whatever the clock says: a thread can lose the
// processor between its call and reading the clock. `reach`: later changes that may precede it too.
OrderKey Ordering::among_changes(const Record& record, std::uint32_t context, std::uint64_t change,
                                 std::uint64_t reach) {
  OrderKey key{record.head.time_ns, 0};
  const MaskHistory* changes = history(context);
  if (changes == nullptr) return key;
  if (const auto next = changes->after(change + reach); next && key.time_ns >= next->time_ns) {
    key.time_ns = next->time_ns - 1;
  }
  if (const auto last = changes->find(change)) {
    key.time_ns = std::max(key.time_ns, last->time_ns);
    if (key.time_ns == last->time_ns) key.tie = last->id * 2 + 1;
  }
  return key;
}

const MaskHistory* Ordering::history(std::uint32_t context) {
  if (context != known_context_ || context == 0) {
    const auto found = segment_.histories.find(context);
    known_history_ = found == segment_.histories.end() ? nullptr : &found->second;
    known_context_ = context;
  }
  return known_history_;
}

}  // namespace umaskaudit::reader
