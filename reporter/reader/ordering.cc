// See ordering.h.
#include "reporter/reader/ordering.h"

#include <algorithm>

namespace umaskaudit::model {

OrderKey Ordering::key_of(const Record& record) {
  switch (record.type()) {
    case trace::RecordType::umask: {
      trace::Umask umask{};
      if (!fixed_part(record, &umask)) break;
      const MaskHistory* changes = history(umask.context);
      const MaskChange* own =
          changes == nullptr ? nullptr : changes->find(umask.change, record.offset);
      if (own != nullptr) return {own->time_ns, std::uint64_t{own->id} * 2};
      break;
    }
    case trace::RecordType::create: {
      trace::Create create{};
      if (!fixed_part(record, &create)) break;
      const bool busy = (record.head.flags & trace::kBusy) != 0;
      return among_changes(record, create.context, create.change_after, busy ? 1 : 0);
    }
    case trace::RecordType::exec: {
      trace::Exec exec{};
      if (!fixed_part(record, &exec)) break;
      return among_changes(record, exec.context, exec.change, 0);
    }
    case trace::RecordType::fork: {
      trace::Fork fork{};
      if (!fixed_part(record, &fork)) break;
      return among_changes(record, fork.context, fork.change, 0);
    }
    case trace::RecordType::pad:
    case trace::RecordType::process:
    case trace::RecordType::thread:
    case trace::RecordType::module:
    case trace::RecordType::stack:
    case trace::RecordType::path:
    case trace::RecordType::context:
    case trace::RecordType::directory:
    case trace::RecordType::blind_spot:
    case trace::RecordType::note:
    case trace::RecordType::thread_create:
    case trace::RecordType::chmod:
    case trace::RecordType::rename:
    case trace::RecordType::call_names:
    case trace::RecordType::exec_failed:
      break;
  }
  return {record.head.time_ns, 0};
}

// Between mask change `change` and the one after it, whatever the clock says: a thread can lose the
// processor between its call and its look at the clock. `reach`: changes that may have counted too.
OrderKey Ordering::among_changes(const Record& record, std::uint32_t context, std::uint64_t change,
                                 std::uint64_t reach) {
  OrderKey key{record.head.time_ns, 0};
  const MaskHistory* changes = history(context);
  if (changes == nullptr) return key;
  if (const MaskChange* next = changes->after(change + reach);
      next != nullptr && key.time_ns >= next->time_ns) {
    key.time_ns = next->time_ns - 1;
  }
  if (const MaskChange* last = changes->find(change); last != nullptr) {
    key.time_ns = std::max(key.time_ns, last->time_ns);
    if (key.time_ns == last->time_ns) key.tie = std::uint64_t{last->id} * 2 + 1;
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

}  // namespace umaskaudit::model
