// See live_batch.h.
#include "reporter/reader/live_batch.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace umaskaudit::model {
namespace {

bool stack_known(const Segment& segment, std::uint32_t id) {
  if (id == 0) return true;
  if (segment.stacks.find(id) == nullptr) return false;
  const std::vector<RawFrame> frames = segment.frames_of(id);
  return std::all_of(frames.begin(), frames.end(), [&](const RawFrame& frame) {
    return frame.module == 0 || segment.modules.find(frame.module) != nullptr;
  });
}

bool path_known(const Segment& segment, std::uint32_t id) {
  return id == 0 || segment.paths.find(id) != nullptr;
}

bool context_known(const Segment& segment, std::uint32_t id) {
  // A run-wide number goes by the ids: one with a lower id may still be written by another process.
  return id == 0 || (id <= segment.contexts_through && segment.contexts.find(id) != nullptr);
}

bool changes_known(const Segment& segment, const trace::Create& create, std::uint16_t flags) {
  const std::uint64_t last = create.change_after + ((flags & trace::kBusy) != 0 ? 1 : 0);
  // The change before the call is named too, as the one that set the mask.
  const std::uint64_t first = create.change_before == 0 ? 0 : create.change_before - 1;
  if (last == 0) return true;
  const auto history = segment.histories.find(create.context);
  return history != segment.histories.end() && history->second.holds(first, last);
}

class Ready {
 public:
  Ready(const Segment& segment, const Record& record) : segment_(segment), record_(record) {}

  bool create() const {
    trace::Create facts{};
    return !fixed_part(record_, &facts) ||
           (common(facts.stack, facts.context) && path_known(segment_, facts.base) &&
            path_known(segment_, facts.target) &&
            (facts.directory == 0 || segment_.directories.find(facts.directory) != nullptr) &&
            changes_known(segment_, facts, record_.head.flags));
  }
  bool chmod() const {
    trace::Chmod facts{};
    return !fixed_part(record_, &facts) ||
           (common(facts.stack, facts.context) && path_known(segment_, facts.base));
  }
  bool rename() const {
    trace::Rename facts{};
    return !fixed_part(record_, &facts) ||
           (common(facts.stack, facts.context) && path_known(segment_, facts.from_base) &&
            path_known(segment_, facts.to_base));
  }
  // Types with a stack and a context.
  template <typename T>
  bool plain() const {
    T facts{};
    return !fixed_part(record_, &facts) || common(facts.stack, facts.context);
  }
  // A stack and no context.
  template <typename T>
  bool stack_only() const {
    T facts{};
    return !fixed_part(record_, &facts) || stack_known(segment_, facts.stack);
  }
  bool process() const {
    trace::Process facts{};
    return !fixed_part(record_, &facts) || context_known(segment_, facts.context);
  }

 private:
  bool common(std::uint32_t stack, std::uint32_t context) const {
    // The names of the calls are one of a segment's first records.
    return stack_known(segment_, stack) && context_known(segment_, context) &&
           !segment_.calls.empty();
  }

  const Segment& segment_;
  const Record& record_;
};

}  // namespace

bool ready(const Segment& segment, const Record& record) {
  const Ready test(segment, record);
  switch (record.type()) {
    case trace::RecordType::process:
      return test.process();
    case trace::RecordType::umask:
      return test.plain<trace::Umask>();
    case trace::RecordType::create:
      return test.create();
    case trace::RecordType::chmod:
      return test.chmod();
    case trace::RecordType::rename:
      return test.rename();
    case trace::RecordType::exec:
      return test.plain<trace::Exec>();
    case trace::RecordType::fork:
      return test.plain<trace::Fork>();
    case trace::RecordType::blind_spot:
      return test.plain<trace::BlindSpot>();
    case trace::RecordType::note:
      return test.stack_only<trace::Note>();
    case trace::RecordType::thread_create:
      return test.stack_only<trace::ThreadCreate>();
    case trace::RecordType::thread:
    case trace::RecordType::pad:
    case trace::RecordType::module:
    case trace::RecordType::stack:
    case trace::RecordType::path:
    case trace::RecordType::context:
    case trace::RecordType::directory:
    case trace::RecordType::call_names:
    case trace::RecordType::exec_failed:
      return true;
  }
  return true;
}

void LiveBatch::add(const Segment& segment, const Record& record) {
  Item item;
  item.segment = &segment;
  const auto* begin = record.payload - sizeof record.head;
  item.bytes.assign(begin, begin + record.head.length);
  item.offset = record.offset;
  items_.push_back(std::move(item));
}

void LiveBatch::tell(unsigned patience, const std::function<void(const MergedRecord&)>& visit) {
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
    visit({item.segment, record, item.key.time_ns});
  }
}

}  // namespace umaskaudit::model
