#include "reporter/reader/live_batch.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {
namespace {

bool path_known(const Segment& segment, std::uint32_t id) {
  return id == 0 || segment.paths.find(id) != nullptr;
}

// The script frames are ready; native ones are tested separately.
bool script_known(const Segment& segment, const ScriptSpan& script) {
  const trace::ScriptStack& facts = script.facts;
  if (facts.runtime != 0 && !segment.runtimes.contains(facts.runtime)) return false;
  const auto begin = segment.script_words.begin() + script.first;
  return std::all_of(begin, begin + facts.count, [&](std::uint32_t word) {
    const ScriptPlace* place = segment.script_frames.find(word & ~trace::kScriptEntry);
    return place != nullptr && path_known(segment, place->facts.file);
  });
}

bool stack_known(const Segment& segment, std::uint32_t id) {
  if (id == 0) return true;
  if (const ScriptSpan* script = segment.script_span(id)) {
    if (!script_known(segment, *script)) return false;
    id = script->facts.native;
    if (id == 0) return true;
  }
  if (segment.stacks.find(id) == nullptr) return false;
  const std::vector<RawFrame> frames = segment.frames_of(id);
  return std::all_of(frames.begin(), frames.end(), [&](const RawFrame& frame) {
    return frame.module == 0 || segment.modules.find(frame.module) != nullptr;
  });
}

bool context_known(const Segment& segment, std::uint32_t id) {
  // The order of run-wide numbers follows the ids: another process may still be writing one with a
  // lower id.
  return id == 0 || (id <= segment.contexts_through && segment.contexts.find(id) != nullptr);
}

bool changes_known(const Segment& segment, const trace::Create& create, std::uint16_t flags) {
  const std::uint64_t last = create.change_after + ((flags & trace::kBusy) != 0 ? 1 : 0);
  // The change before the call is needed too, as the one that set the mask.
  const std::uint64_t first = create.change_before == 0 ? 0 : create.change_before - 1;
  if (last == 0) return true;
  const auto history = segment.histories.find(create.context);
  return history != segment.histories.end() && history->second.holds(first, last);
}

// The records that an event refers to besides its stack and its context.
template <typename Facts>
bool others_known(const Segment&, const Record&, const Facts&) {
  return true;
}
bool others_known(const Segment& segment, const Record& record, const trace::Create& facts) {
  return path_known(segment, facts.base) && path_known(segment, facts.target) &&
         (facts.directory == 0 || segment.directories.find(facts.directory) != nullptr) &&
         changes_known(segment, facts, record.head.flags);
}
bool others_known(const Segment& segment, const Record&, const trace::Chmod& facts) {
  return path_known(segment, facts.base);
}
bool others_known(const Segment& segment, const Record&, const trace::Rename& facts) {
  return path_known(segment, facts.from_base) && path_known(segment, facts.to_base);
}

template <typename Facts>
bool all_known(const Segment& segment, const Record& record, const Facts& facts) {
  if constexpr (kTraits<Facts>.has_stack) {
    if (!stack_known(segment, facts.stack)) return false;
  }
  if constexpr (kTraits<Facts>.has_context) {
    if (!context_known(segment, facts.context)) return false;
  }
  if constexpr (kTraits<Facts>.is_event && requires { facts.call; }) {
    // The names of the calls are in one of the first records of a segment.
    if (segment.calls.empty()) return false;
  }
  return others_known(segment, record, facts);
}

}  // namespace

bool ready(const Segment& segment, const Record& record) {
  bool known = true;
  visit_record(record, [&](const auto& facts) { known = all_known(segment, record, facts); });
  return known;
}

void LiveBatch::add(const Segment& segment, const Record& record, const FoldSpan& span) {
  Item item;
  item.segment = &segment;
  const auto* begin = record.payload - sizeof record.head;
  item.bytes.assign(begin, begin + record.head.length);
  item.offset = record.offset;
  item.span = span;
  items_.push_back(std::move(item));
}

void LiveBatch::release(unsigned patience, const std::function<void(const MergedRecord&)>& visit) {
  Record record;
  std::vector<Item> waiting;
  std::vector<Item> due;
  for (Item& item : items_) {
    read_record(item.bytes.data(), item.offset, &record);
    const bool wait = item.age < patience && !ready(*item.segment, record);
    ++item.age;
    if (!wait) item.key = Ordering(*item.segment).key_of(record);
    (wait ? waiting : due).push_back(std::move(item));
  }
  std::sort(due.begin(), due.end(), [](const Item& a, const Item& b) {
    return std::tie(a.key, a.segment->index, a.offset) <
           std::tie(b.key, b.segment->index, b.offset);
  });
  items_ = std::move(waiting);
  for (const Item& item : due) {
    read_record(item.bytes.data(), item.offset, &record);
    visit({item.segment, record, item.key.time_ns, item.span});
  }
}

}  // namespace umaskaudit::reader
