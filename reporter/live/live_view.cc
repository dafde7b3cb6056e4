#include "reporter/live/live_view.h"

#include <algorithm>

#include "reporter/render/text_report.h"
#include "reporter/render/timeline_text.h"

namespace umaskaudit::live {
namespace {

constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostCreations = 1000;
constexpr std::size_t kMostKinds = 64;  // of the changes of one thread

// Room for one more.
template <typename Map>
void make_room(Map& map) {
  if (map.size() < kMostEntries) return;
  map.erase(std::min_element(map.begin(), map.end(), [](const auto& a, const auto& b) {
    return a.second.time_ns < b.second.time_ns;
  }));
}

template <typename Map, typename Key>
const typename Map::mapped_type* entry(const Map& map, Key key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

const LiveThread* LiveView::thread(analysis::ThreadId key) const {
  return entry(threads_, id_of(key));
}
const LiveContext* LiveView::context(std::uint32_t fs) const { return entry(contexts_, fs); }

const std::string& LiveView::program(std::uint32_t pid) const {
  static const std::string kUnknown;
  const Program* program = entry(programs_, pid);
  return program == nullptr ? kUnknown : program->name;
}

LiveThread& LiveView::thread_of(const EventBase& base) {
  const analysis::ThreadId key{base.pid, base.tid};
  auto found = threads_.find(id_of(key));
  if (found == threads_.end()) {
    make_room(threads_);
    found = threads_.try_emplace(id_of(key)).first;
    found->second.first_ns = base.time_ns;
  }
  LiveThread& thread = found->second;
  thread.key = key;
  if (thread.name != base.thread) thread.name = base.thread;
  if (base.fs != 0) thread.fs = base.fs;
  thread.time_ns = std::max(thread.time_ns, base.time_ns);
  return thread;
}

LiveContext& LiveView::context_of(const EventBase& base) {
  auto found = contexts_.find(base.fs);
  if (found == contexts_.end()) {
    make_room(contexts_);
    found = contexts_.try_emplace(base.fs).first;
    found->second.fs = base.fs;
    found->second.time_ns = base.time_ns;
  }
  return found->second;
}

void LiveView::remember(const EventBase& base, const Event& event, std::string_view path,
                        Style style) {
  creations_.push_front({++told_,
                         base.time_ns,
                         {base.pid, base.tid},
                         std::string(base.thread),
                         std::string(path),
                         render::event_text(event),
                         style});
  if (creations_.size() > kMostCreations) creations_.pop_back();
}

void LiveView::see(const UmaskEvent& event) {
  const std::uint64_t count = event.folded.count;
  counts_.changes += count;
  LiveThread& thread = thread_of(event);
  thread.changes += count;
  thread.last = {event.old_mask, event.new_mask, event.stack, count, event.time_ns};
  const auto kind =
      std::find_if(thread.kinds.begin(), thread.kinds.end(), [&](const LiveChange& one) {
        return one.old_mask == event.old_mask && one.new_mask == event.new_mask &&
               one.stack == event.stack;
      });
  if (kind != thread.kinds.end()) {
    kind->count += count;
    kind->time_ns = std::max(kind->time_ns, event.time_ns);
  } else if (thread.kinds.size() < kMostKinds) {
    thread.kinds.push_back(thread.last);
  } else {
    thread.other_changes += count;
  }
  LiveContext& context = context_of(event);
  context.changes += count;
  context.mask = event.new_mask;
  context.time_ns = event.time_ns;
  context.setter = {event.pid, event.tid};
  context.setter_name = event.thread;
}

void LiveView::feed(const Event& event) {
  const EventBase& base =
      std::visit([](const auto& one) -> const EventBase& { return one; }, event);
  ++counts_.events;
  counts_.end_ns = std::max(counts_.end_ns, base.time_ns);
  if (const auto* umask = std::get_if<UmaskEvent>(&event)) {
    see(*umask);
  } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
    if (!render::is_listed(event)) return;
    ++counts_.created;
    ++thread_of(base).created;
    if (LiveContext& context = context_of(base); context.changes == 0) context.mask = create->mask;
    remember(base, event, create->path,
             create->final_mode ? render::mode_style(*create->final_mode) : Style::plain);
  } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
    if (LiveContext& context = context_of(base); context.changes == 0) context.mask = process->mask;
    if (programs_.find(base.pid) == programs_.end()) make_room(programs_);
    programs_[base.pid] = {std::string(process->exe.empty() ? process->comm : process->exe),
                           base.time_ns};
  } else if (std::holds_alternative<BlindSpotEvent>(event)) {
    ++counts_.blind;
    remember(base, event, "", Style::warning);
  } else if (const auto* loss = std::get_if<LossEvent>(&event)) {
    counts_.lost += loss->count;
    remember(base, event, "", Style::bad);
  }
}

}  // namespace umaskaudit::live
