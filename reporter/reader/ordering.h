// Ordering: the sort keys of the events of one segment.
// Must never let the clock contradict the numbers of the mask changes.
#pragma once

#include <compare>
#include <cstdint>

#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// `tie` orders events of one nanosecond: 2 * id for a mask change, 2 * id + 1 for events under it,
// 0 for others.
struct OrderKey {
  std::uint64_t time_ns = 0;
  std::uint64_t tie = 0;
  auto operator<=>(const OrderKey&) const = default;
};

class Ordering {
 public:
  explicit Ordering(const Segment& segment) : segment_(segment) {}

  OrderKey key_of(const Record& record);

 private:
  OrderKey among_changes(const Record& record, std::uint32_t context, std::uint64_t change,
                         std::uint64_t reach);
  const MaskHistory* history(std::uint32_t context);

  const Segment& segment_;
  std::uint32_t known_context_ = 0;
  const MaskHistory* known_history_ = nullptr;
};

}  // namespace umaskaudit::reader
