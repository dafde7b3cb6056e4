// Holding back. See change_order.h.
#include "reporter/rules/change_order.h"

#include <algorithm>
#include <utility>

namespace umaskaudit::rules {
namespace {

// What a thread that toggles at full speed does while another one is off its processor for a tenth
// of a second. A change that is later than this is taken for lost.
constexpr std::size_t kMostWaiting = std::size_t{1} << 16;

std::uint64_t change_of(const Event& event) {
  const auto* umask = std::get_if<UmaskEvent>(&event);
  return umask == nullptr ? 0 : umask->change;
}

}  // namespace

bool ChangeOrder::feed(const Event& event) {
  const std::uint32_t fs = std::visit([](const EventBase& base) { return base.fs; }, event);
  if (fs == 0) return visit_(event);
  Context& context = contexts_[fs];
  if (std::holds_alternative<ProcessEvent>(event)) {
    // A new image numbers its changes anew.
    const bool more = drain(context, true);
    context.change = context.latest = 0;
    return more && visit_(event);
  }
  const std::uint64_t change = change_of(event);
  const bool missing = change > context.change + 1;
  if (context.waiting.empty() && !missing) return pass(context, event);

  // The number decides where a change stands among the changes; everything else keeps its place.
  auto place = context.waiting.end();
  if (change != 0 && change < context.latest)
    place = std::find_if(context.waiting.begin(), context.waiting.end(),
                         [&](const Event& other) { return change_of(other) > change; });
  context.latest = std::max(context.latest, change);
  context.waiting.insert(place, event);
  return drain(context, context.waiting.size() > kMostWaiting);
}

bool ChangeOrder::pass(Context& context, const Event& event) {
  context.change = std::max(context.change, change_of(event));
  return visit_(event);
}

bool ChangeOrder::drain(Context& context, bool all) {
  while (!context.waiting.empty()) {
    if (!all && change_of(context.waiting.front()) > context.change + 1) break;
    const Event event = std::move(context.waiting.front());
    context.waiting.pop_front();
    if (!pass(context, event)) return false;
  }
  return true;
}

bool ChangeOrder::finish() {
  for (auto& [fs, context] : contexts_)
    if (!drain(context, true)) return false;
  return true;
}

EventSource in_change_order(const EventSource& source) {
  return [source](const ChangeOrder::Visit& visit) {
    ChangeOrder order(visit);
    bool more = true;
    source([&](const Event& event) { return more = order.feed(event); });
    if (more) order.finish();
  };
}

}  // namespace umaskaudit::rules
