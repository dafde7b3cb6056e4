// The mask changes of each fs context in the order in which the kernel made them.
// A thread that loses its processor between umask(2) and its record writes that record late, later
// than the reader of a run can hold everything back for; the changes are numbered, so that order
// can be told all the same. Must never wait without end for a change that was lost. Wraps the
// events for both readings.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

#include "reporter/model/events.h"
#include "reporter/rules/find.h"

namespace umaskaudit::rules {

class ChangeOrder {
 public:
  using Visit = std::function<bool(const Event&)>;
  explicit ChangeOrder(const Visit& visit) : visit_(visit) {}

  // Passes `event` on, now or when its turn comes. False when the visitor wants no more.
  bool feed(const Event& event);
  // The end of the run: what is still held back goes on as it is.
  bool finish();

 private:
  struct Context {
    std::uint64_t change = 0;   // of the last umask event that was passed on
    std::uint64_t latest = 0;   // the highest that ever waited
    std::deque<Event> waiting;  // behind a change that is missing, in order of arrival
  };

  bool pass(Context& context, const Event& event);
  bool drain(Context& context, bool all);

  const Visit& visit_;
  std::unordered_map<std::uint32_t, Context> contexts_;
};

// The same events in that order.
EventSource in_change_order(const EventSource& source);

}  // namespace umaskaudit::rules
