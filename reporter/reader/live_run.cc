// One look is: new segments, new records, tables in order, links between contexts, events. Facts in
// a segment only depend on facts that were committed before that segment was created; so the
// directory is listed before anything is read, and older segments are read first.
#include "reporter/reader/live_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "reporter/base/running_process.h"
#include "reporter/reader/context_tree.h"
#include "reporter/reader/creator_resolver.h"
#include "reporter/reader/event_builder.h"
#include "reporter/reader/folds.h"
#include "reporter/reader/lanes.h"
#include "reporter/reader/live_batch.h"
#include "reporter/reader/losses.h"
#include "reporter/reader/run_open.h"
#include "reporter/reader/segment/record_types.h"
#include "reporter/reader/segment/segment.h"
#include "reporter/reader/segment/segment_tail.h"
#include "reporter/reader/segment/string_pool.h"
#include "reporter/reader/tmpfile_links.h"

namespace umaskaudit::reader {
namespace {

constexpr std::size_t kMostBytes = std::size_t{2} << 20;  // of records in one look
constexpr unsigned kPatience = 20;                        // in looks
constexpr std::size_t kMostChanges = 65536;               // kept of each context
// When there are more segments than this, idle ones are looked at less often: a run may have
// thousands.
constexpr std::size_t kManySegments = 64;
// In a ring, the latest chunks of each use are read in each look, every other chunk in one of so
// many.
constexpr std::size_t kLatestChunks = 2;
constexpr std::size_t kChunkTurns = 64;

EventBase& base_of(Event* event) {
  return std::visit([](auto& any) -> EventBase& { return any; }, *event);
}

// The position in a chunk of a ring, since it was taken into use.
struct ChunkTail {
  explicit ChunkTail(const reader::Part& part) : word(part.word), tail(part.begin) {}

  bool is_of(const reader::Part& part) const { return word >> 8 == part.word >> 8; }  // its turn

  std::uint64_t word;
  reader::SegmentTail tail;
  bool more = false;  // not everything fitted
  // The chunk was read before it was used again. Its records up to this time were copied on from
  // there, because their process lives; 0: it was not.
  std::uint64_t moved_until_ns = 0;
};

// A segment, and the position in it.
struct Source {
  explicit Source(reader::Segment* opened) : tail(reader::first_record(*opened)), segment(opened) {}

  reader::SegmentTail tail;                               // of a segment without a ring
  std::unordered_map<std::uint64_t, ChunkTail> chunks{};  // by offset
  reader::Segment* segment;
  std::size_t links = 0;  // number of facts that links between contexts are made from
  std::uint64_t rested = 0;
  std::uint64_t next_look = 0;
  std::uint64_t gap_since = 0;  // the first look in which a context with a lower id was missing
  bool touched = false;
};

std::size_t link_facts(const reader::Segment& segment) {
  return segment.contexts.items().size() + segment.histories.size() + segment.images.size() +
         segment.forks.size() + segment.execs.size() + segment.drifts.size();
}

// Ids are assigned before the records are written: a process may be delayed for long while a later
// id is written. One that was killed meanwhile leaves a permanent gap.
void advance_contexts(Source* source, std::uint64_t look, bool last) {
  reader::Segment& segment = *source->segment;
  const auto& items = segment.contexts.items();
  std::uint32_t through = last ? UINT32_MAX : segment.contexts_through;
  auto next = std::upper_bound(items.begin(), items.end(), through,
                               [](std::uint32_t id, const auto& item) { return id < item.first; });
  for (; next != items.end(); ++next) {
    if (next->first != through + 1) {
      if (source->gap_since == 0) source->gap_since = look;
      if (look - source->gap_since < kPatience) break;
    }
    source->gap_since = 0;
    through = next->first;
  }
  segment.contexts_through = through;
}

bool has_ring(const reader::SegmentFile::Reader& file, const reader::Segment& segment) {
  std::uint32_t ring = 0;
  const bool known =
      file.read(offsetof(trace::SegmentHeader, ring), &ring, sizeof ring) == sizeof ring;
  return known && ring != 0 && !segment.header_damaged;
}

}  // namespace

struct LiveRun::State {
  std::shared_ptr<const Descriptor> directory;
  reader::DirectoryFacts facts;
  std::unordered_set<std::string> known;  // names
  std::vector<std::unique_ptr<reader::Segment>> segments;
  std::vector<Source> sources;  // one a segment
  reader::StringPool pool, texts;
  reader::ContextTree tree;
  reader::CreatorResolver creators;  // stays empty: live events say `probably`
  reader::TmpfileLinks
      tmpfile_links;  // also empty: a later name of an O_TMPFILE file is not known yet
  reader::EventBuilder builder{tree, creators, tmpfile_links, &pool, &texts};
  reader::LiveBatch batch;
  bool unlinked = true;  // the tree waits for a record
  std::uint64_t look = 0, seq = 0, end_ns = 0;
  std::uint64_t last_id = 0;

  void find_segments(bool last);
  bool read(std::size_t budget, bool last);
  std::size_t read(Source* source, std::size_t budget, bool last);
  std::size_t read_ring(Source* source, reader::SegmentFile::Reader* file, std::size_t budget,
                        bool last);
  void take(Source* source, const reader::Record& record);
  void settle(bool last = false);
  void number_changes();
  void link();
  void add_folds(reader::Segment& segment);
  void read_cells();
  void deliver(const Visit& visit, bool last);
  void deliver(Event* event, const Visit& visit);
  void assess(const Visit& visit);
};

void LiveRun::State::find_segments(bool last) {
  std::vector<std::unique_ptr<reader::Segment>> found;
  for (const std::string& name : reader::segment_names(*directory)) {
    if (known.count(name) != 0) continue;
    LossEvent why;
    auto segment = reader::open_segment(directory, name, 0, &why);
    // Its writer may be about to fill in the header.
    if (segment && segment->header_damaged && !last) continue;
    known.insert(name);
    if (segment)
      found.push_back(std::move(segment));
    else
      facts.unreadable.push_back(std::move(why));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a->stamp < b->stamp; });
  for (auto& segment : found) {
    segment->index = static_cast<std::uint32_t>(segments.size());
    segment->contexts_through = 0;
    segments.push_back(std::move(segment));
    sources.emplace_back(segments.back().get());
  }
}

// True: there was more than `budget` allowed.
bool LiveRun::State::read(std::size_t budget, bool last) {
  std::size_t passed = 0;
  for (Source& source : sources) {
    if (!last && source.next_look > look) continue;
    if (passed >= budget) return true;
    const std::size_t got = read(&source, budget - passed, last);
    passed += got;
    source.rested = got == 0 ? source.rested + 1 : 0;
    const std::uint64_t pause = std::min<std::uint64_t>(source.rested, sources.size());
    source.next_look = look + 1 + pause / kManySegments;
  }
  return passed >= budget;
}

std::size_t LiveRun::State::read(Source* source, std::size_t budget, bool last) {
  reader::Segment& segment = *source->segment;
  reader::SegmentFile::Reader file = segment.file.growing_reader();
  if (has_ring(file, segment)) return read_ring(source, &file, budget, last);
  std::uint64_t end = file.size();
  if (!last) {
    // The header says how much space was reserved: nothing follows that, and the file may have a
    // gigabyte of hole.
    std::uint64_t tail = 0;
    if (file.read(offsetof(trace::SegmentHeader, tail), &tail, sizeof tail) == sizeof tail)
      end = std::min(end, tail);
    if (end <= source->tail.position() && !source->tail.has_gaps()) return 0;
  }
  const std::size_t got = source->tail.read(
      file, end, budget, last, [&](const reader::Record& record) { take(source, record); });
  source->touched = source->touched || got != 0;
  return got;
}

void LiveRun::State::take(Source* source, const reader::Record& record) {
  reader::Segment& segment = *source->segment;
  reader::learn(record, &segment, &pool);
  if (reader::is_event(record.type())) batch.add(segment, record);
  add_folds(segment);
  end_ns = std::max(end_ns, record.head.time_ns);
}

namespace {
// Whether the process that wrote a record is known from an earlier record.
bool knows_process(const reader::Segment& segment, const reader::Record& record) {
  return std::any_of(segment.images.begin(), segment.images.end(), [&](const reader::Image& image) {
    return image.facts.pid == record.head.pid && image.time_ns <= record.head.time_ns;
  });
}
}  // namespace

// Chunk by chunk. Records are committed in the latest chunks of each use; a delayed writer may
// still commit in an earlier one.
std::size_t LiveRun::State::read_ring(Source* source, reader::SegmentFile::Reader* file,
                                      std::size_t budget, bool last) {
  reader::Segment& segment = *source->segment;
  reader::read_header_again(&segment);
  reader::read_layout(*file, &segment);
  std::size_t passed = 0;
  const std::vector<reader::Part>& parts = segment.layout.parts();
  for (std::size_t i = 0; i < parts.size() && passed < budget; ++i) {
    reader::Part part = parts[i];
    const auto [place, first_look] = source->chunks.try_emplace(part.begin, part);
    ChunkTail& chunk = place->second;
    // The records that were read before the segment had a ring are the begin of its first chunk.
    if (first_look && part.chunk == 0) chunk.tail = source->tail;
    const bool fresh = chunk.tail.position() == part.begin || !chunk.is_of(part);
    const bool latest =
        i + kLatestChunks >= parts.size() || parts[i + kLatestChunks].lane != part.lane;
    const bool turn = (look + i) % kChunkTurns == 0;
    if (!fresh && !latest && !turn && !last && !chunk.more) continue;
    if (!segment.layout.hold(file, &part)) continue;
    if (!chunk.is_of(part)) {
      chunk = ChunkTail(parts[i]);
      file->read(segment.layout.ring() + offsetof(trace::Ring, whole_since_ns),
                 &chunk.moved_until_ns, sizeof chunk.moved_until_ns);
    }
    const std::size_t got =
        chunk.tail.read(*file, part.end, budget - passed, last, [&](const reader::Record& record) {
          const bool moved = record.head.time_ns <= chunk.moved_until_ns;
          if (!moved || !knows_process(segment, record)) take(source, record);
        });
    passed += got;
    chunk.more = passed >= budget;
  }
  source->touched = source->touched || passed != 0;
  return passed;
}

// Afterwards the tables can be queried.
void LiveRun::State::settle(bool last) {
  for (Source& source : sources) {
    const std::uint32_t before = source.segment->contexts_through;
    if (source.touched) reader::settle(source.segment);
    if (source.touched || source.gap_since != 0 || last) advance_contexts(&source, look, last);
    unlinked = unlinked || before != source.segment->contexts_through;
    if (!source.touched) continue;
    const std::size_t links = link_facts(*source.segment);
    unlinked = unlinked || links != source.links;
    source.links = links;
  }
  number_changes();
  if (unlinked) link();
  for (Source& source : sources) {
    if (!source.touched) continue;
    for (auto& [context, history] : source.segment->histories) history.forget_all_but(kMostChanges);
    source.touched = false;
  }
}

// The folds since then, expanded.
void LiveRun::State::add_folds(reader::Segment& segment) {
  if (segment.folds.empty()) return;  // nearly always
  reader::FoldedChange change;
  for (const reader::FoldFact& fact : segment.folds) {
    for (const reader::FoldPart& part :
         reader::parts_of(fact.fold, reader::timed_changes(fact.fold))) {
      batch.add(segment, change.make(fact, part.change), part.span);
    }
  }
  segment.folds.clear();
}

// The folds in progress when all writers have ended.
void LiveRun::State::read_cells() {
  for (Source& source : sources) {
    reader::Segment& segment = *source.segment;
    reader::read_header_again(&segment);
    std::vector<reader::FoldFact> cells =
        reader::read_fold_cells(segment.file.growing_reader(), segment);
    // A fold that became a record before its cell was freed was passed on as that record.
    std::erase_if(cells, [&](const reader::FoldFact& cell) {
      const auto history = segment.histories.find(cell.fold.begin.context);
      return history != segment.histories.end() && !history->second.changes().empty() &&
             history->second.changes().back().change >= cell.fold.state.last;
    });
    reader::add_cells(cells, &segment);
    if (segment.folds.empty()) continue;
    add_folds(segment);
    source.touched = true;
  }
}

// Assigns ids by time to the changes of this look, which are passed on next.
void LiveRun::State::number_changes() {
  struct Fresh {
    reader::MaskChange* change;
    std::uint64_t span;
  };
  std::vector<Fresh> fresh;
  for (Source& source : sources) {
    if (!source.touched) continue;
    for (auto& [context, history] : source.segment->histories)
      for (std::size_t i = 0; i < history.changes().size(); ++i)
        if (history.changes()[i].id == 0) fresh.push_back({&history.changes()[i], history.span(i)});
  }
  std::stable_sort(fresh.begin(), fresh.end(), [](const Fresh& a, const Fresh& b) {
    return a.change->time_ns < b.change->time_ns;
  });
  for (const Fresh& each : fresh) each.change->id = last_id += each.span;
}

void LiveRun::State::link() {
  unlinked = !tree.relink(segments);
  builder.contexts_changed();
}

void LiveRun::State::deliver(Event* event, const Visit& visit) {
  seq += count_of(*event);
  base_of(event).seq = seq;
  visit(*event);
}

void LiveRun::State::deliver(const Visit& visit, bool last) {
  batch.release(last ? 0 : kPatience, [&](const reader::MergedRecord& merged) {
    Event* event = builder.build(merged);
    if (event == nullptr) return;
    trace::Create fixed{};
    if (auto* create = std::get_if<CreateEvent>(event);
        create != nullptr && reader::fixed_part(merged.record, &fixed))
      create->created = static_cast<trace::Created>(fixed.created);
    deliver(event, visit);
  });
  texts = reader::StringPool();
}

// What no single record says, as Run reports it.
void LiveRun::State::assess(const Visit& visit) {
  for (const auto& segment : segments) {
    reader::read_header_again(segment.get());
    reader::SegmentFile::Reader file = segment->file.growing_reader();
    reader::read_layout(file, segment.get());
    reader::scan_lanes(&file, segment.get(), [](const reader::Record&) {});
  }
  reader::read_state(directory, &facts);
  Event event;
  for (const BlindSpotEvent& spot : reader::unfollowed_execs(segments, tree, facts)) {
    event = spot;
    deliver(&event, visit);
  }
  for (const LossEvent& loss : reader::assess(segments, facts, end_ns).losses) {
    event = loss;
    deliver(&event, visit);
  }
}

LiveRun::LiveRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveRun::~LiveRun() = default;

Result<std::unique_ptr<LiveRun>> LiveRun::open(const std::string& directory) {
  auto opened = std::make_shared<const Descriptor>(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened->get() < 0) return reader::cannot_open(directory, errno);
  auto state = std::make_unique<State>();
  state->directory = std::move(opened);
  reader::read_state(state->directory, &state->facts);
  if (!state->facts.has_state && reader::segment_names(*state->directory).empty())
    return Error{"'" + directory + "' is not a run", "it holds no segment file (*.seg)",
                 "umaskaudit run -o DIR -- CMD to record one", ExitCode::unreadable};
  return std::unique_ptr<LiveRun>(new LiveRun(std::move(state)));
}

bool LiveRun::poll(const Visit& visit) {
  State& state = *state_;
  ++state.look;
  state.find_segments(false);
  const bool more = state.read(kMostBytes, false);
  state.settle();
  state.deliver(visit, false);
  return more;
}

void LiveRun::finish(const Visit& visit) {
  State& state = *state_;
  while (poll(visit)) {
  }
  state.find_segments(true);
  while (state.read(kMostBytes, true)) {
    state.settle();
    state.deliver(visit, false);
  }
  state.read_cells();
  state.unlinked = true;
  state.settle(true);
  state.deliver(visit, true);
  state.assess(visit);
}

void LiveRun::stop(const Visit& visit) { state_->deliver(visit, true); }

bool LiveRun::has_running_process() const {
  if (state_->look == 0) return true;  // no process is known yet
  for (const auto& segment : state_->segments) {
    if (is_running(static_cast<pid_t>(segment->pid))) return true;
    for (const reader::Image& image : segment->images)
      if (is_running(static_cast<pid_t>(image.facts.pid))) return true;
  }
  return false;
}

std::unordered_set<std::uint32_t> LiveRun::ended() const {
  struct stat own {};
  if (stat("/proc/self/ns/pid", &own) != 0) return {};
  std::unordered_set<std::uint32_t> gone;
  for (const auto& segment : state_->segments)
    for (const reader::Image& image : segment->images)
      if (image.facts.pid_namespace == own.st_ino &&
          !is_running(static_cast<pid_t>(image.facts.pid)))
        gone.insert(image.facts.pid);
  return gone;
}

std::uint64_t LiveRun::begin_ns() const {
  return state_->segments.empty() ? 0 : state_->segments.front()->header.mono_ns;
}

std::uint64_t LiveRun::real_ns(std::uint64_t time_ns) const {
  if (state_->segments.empty()) return 0;
  const trace::SegmentHeader& header = state_->segments.front()->header;
  return header.real_ns + (time_ns - header.mono_ns);  // wraps for what is older than the header
}

std::array<std::uint8_t, 16> LiveRun::boot_id() const {
  std::array<std::uint8_t, 16> id{};
  if (state_->segments.empty()) return id;
  const auto& known = state_->segments.front()->header.boot_id;
  std::copy(std::begin(known), std::end(known), id.begin());
  return id;
}

std::vector<RawFrame> LiveRun::stack(StackRef ref) const {
  if (ref.segment >= state_->segments.size()) return {};
  return state_->segments[ref.segment]->frames_of(ref.id);
}

std::optional<ScriptStack> LiveRun::script(StackRef ref) const {
  if (ref.segment >= state_->segments.size()) return std::nullopt;
  return state_->segments[ref.segment]->script_of(ref.id);
}

bool LiveRun::stack_truncated(StackRef ref) const {
  return ref.segment < state_->segments.size() &&
         state_->segments[ref.segment]->stack_truncated(ref.id);
}

StackRef LiveRun::started(std::uint32_t segment) const {
  if (segment >= state_->segments.size()) return {};
  return state_->tree.started(*state_->segments[segment]);
}

std::vector<ScriptRuntime> LiveRun::runtimes() const {
  return reader::runtimes_of(state_->segments);
}

std::uint32_t LiveRun::pid(std::uint32_t segment) const {
  return segment < state_->segments.size() ? state_->segments[segment]->pid : 0;
}

const ModuleInfo* LiveRun::module(std::uint32_t segment, std::uint32_t id) const {
  if (segment >= state_->segments.size()) return nullptr;
  return state_->segments[segment]->modules.find(id);
}

}  // namespace umaskaudit::reader
