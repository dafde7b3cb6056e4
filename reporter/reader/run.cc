// Opens a run (first pass, tables, links between contexts) and walks over it (second pass); see
// run.h.
#include "reporter/reader/run.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "reporter/reader/context_tree.h"
#include "reporter/reader/creator_resolver.h"
#include "reporter/reader/dropped.h"
#include "reporter/reader/event_builder.h"
#include "reporter/reader/folds.h"
#include "reporter/reader/lanes.h"
#include "reporter/reader/losses.h"
#include "reporter/reader/merger.h"
#include "reporter/reader/run_open.h"
#include "reporter/reader/segment/segment.h"
#include "reporter/reader/segment/string_pool.h"
#include "reporter/reader/tmpfile_links.h"

namespace umaskaudit::reader {
namespace {

constexpr std::uint64_t kTickEvery = 1 << 14;  // every few milliseconds

}  // namespace

struct Run::State {
  std::string directory, place;
  reader::StringPool pool;
  std::vector<std::unique_ptr<reader::Segment>> segments;
  reader::ContextTree tree;
  reader::CreatorResolver creators;
  reader::TmpfileLinks tmpfile_links;
  Completeness completeness;
  Dropped dropped;
  std::vector<BlindSpotEvent> unfollowed;
  std::vector<ProcessEvent> processes;
  std::uint64_t begin_ns = 0, end_ns = 0, begin_real_ns = 0;
  std::array<std::uint8_t, 16> boot_id{};
  Ticker ticker;
  std::uint64_t scanned = 0;  // records of all segments so far

  void scan(reader::Segment* segment);
  void tick(std::uint64_t done, std::uint64_t total) const {
    if (ticker && done % kTickEvery == 0) ticker(done, total);
  }
  void settle_claims();
  void find_span();
  void list_processes();
};

namespace {

EventBase& base_of(Event* event) {
  return std::visit([](auto& any) -> EventBase& { return any; }, *event);
}

}  // namespace

std::uint64_t Completeness::total_lost() const {
  const std::uint64_t counted = std::accumulate(std::begin(lost), std::end(lost), std::uint64_t{0});
  return counted + segments_failed + damages + unfinished;
}

// First pass over one segment.
void Run::State::scan(reader::Segment* segment) {
  reader::SegmentFile::Reader file = segment->file.reader();
  const std::vector<reader::FoldFact> cells = reader::read_fold_cells(file, *segment);
  reader::read_layout(file, segment);
  reader::scan_lanes(&file, segment, [&](const reader::Record& record) {
    tick(++scanned, 0);
    reader::learn(record, segment, &pool);
    trace::Create create{};
    if (record.type() == trace::RecordType::create && reader::fixed_part(record, &create)) {
      creators.note(create);
      tmpfile_links.note(create, record.head.time_ns);
    }
    trace::Rename rename{};
    if (record.type() == trace::RecordType::rename && reader::fixed_part(record, &rename) &&
        tmpfile_links.wants(rename)) {
      const std::string_view to =
          reader::bytes_after<trace::Rename>(record, rename.to_length, rename.from_length);
      tmpfile_links.note(rename, {record.head.time_ns, segment, rename.to_base, pool.intern(to)});
    }
  });
  reader::read_totals(file, segment);
  reader::add_cells(cells, segment);
  reader::finish(segment);
  reader::find_late(&file, segment);
}

void Run::State::settle_claims() {
  if (!creators.disputed()) return;
  reader::Merger merger(segments);
  reader::MergedRecord merged;
  while (merger.next(&merged)) {
    trace::Create create{};
    trace::Rename rename{};
    if (merged.record.type() == trace::RecordType::create &&
        reader::fixed_part(merged.record, &create)) {
      creators.walk_create(create, merged.segment->index, merged.record.offset);
    } else if (merged.record.type() == trace::RecordType::rename &&
               reader::fixed_part(merged.record, &rename) && rename.error == 0 &&
               static_cast<RenameEvent::Action>(rename.action) == RenameEvent::Action::unlinked) {
      creators.walk_unlink(rename.dev, rename.ino);
    }
  }
}

void Run::State::find_span() {
  const reader::Segment* first = nullptr;
  for (const auto& segment : segments) {
    if (segment->events == 0) continue;
    if (first == nullptr || segment->first_ns < first->first_ns) first = segment.get();
    end_ns = std::max(end_ns, segment->last_ns);
  }
  if (first == nullptr) return;
  begin_ns = first->first_ns;
  // Wrapping arithmetic: the event may be older than the header's moment.
  begin_real_ns = first->header.real_ns + (begin_ns - first->header.mono_ns);
  std::copy(std::begin(first->header.boot_id), std::end(first->header.boot_id), boot_id.begin());
}

void Run::State::list_processes() {
  for (const auto& segment : segments) {
    for (const reader::Image& image : segment->images) {
      const reader::ContextPiece* piece = tree.find(segment->index, image.facts.context);
      ProcessEvent process;
      process.time_ns = image.time_ns;
      process.pid = process.tid = image.facts.pid;
      process.thread = process.comm = image.comm;
      process.exe = image.exe;
      process.fs = piece == nullptr ? 0 : piece->fs;
      reader::describe_image(image.facts, &process);
      process.recorder = segment->recorder();
      processes.push_back(process);
    }
  }
  std::stable_sort(processes.begin(), processes.end(),
                   [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
}

Run::Run(std::unique_ptr<State> state) : state_(std::move(state)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

Result<Run> Run::open(const std::string& directory, Ticker ticker, const std::string& shown) {
  Result<reader::RunFiles> opened = reader::open_run(directory);
  if (!opened) return opened.error();
  auto state = std::make_unique<State>();
  state->directory = shown.empty() ? directory : shown;
  state->place = directory;
  state->ticker = std::move(ticker);
  state->segments = std::move(opened->segments);
  for (const auto& segment : state->segments) state->scan(segment.get());
  const bool any = std::any_of(state->segments.begin(), state->segments.end(),
                               [](const auto& s) { return s->scan.records || !s->header_damaged; });
  if (!any && !state->segments.empty()) {
    return Error{"'" + directory + "' is not a run",
                 state->segments.front()->file.name() +
                     " is no segment: its header is damaged "
                     "and it holds no record",
                 "", ExitCode::unreadable};
  }
  state->dropped = reader::sum_dropped(
      state->segments, opened->facts.has_state ? opened->facts.state : trace::RunState{});
  state->tree.build(state->segments, state->dropped.segments != 0);
  state->tmpfile_links.finish();
  state->settle_claims();
  state->find_span();
  state->list_processes();
  state->completeness = reader::assess(state->segments, opened->facts, state->end_ns);
  state->unfollowed = reader::unfollowed_execs(state->segments, state->tree, opened->facts);
  reader::assess_hidden(state->segments, state->tree, !state->unfollowed.empty(),
                        &state->completeness);
  return Run(std::move(state));
}

void Run::for_each(const std::function<bool(const Event&)>& visit, Detail detail,
                   Folds folds) const {
  reader::Merger merger(state_->segments, folds);
  reader::EventBuilder builder(state_->tree, state_->creators, state_->tmpfile_links, &state_->pool,
                               &state_->pool, detail);
  const std::uint64_t records = state_->completeness.records;
  std::uint64_t seq = 0, read = 0;
  const auto deliver = [&](Event* event) {
    seq += count_of(*event);
    base_of(event).seq = seq;
    return visit(*event);
  };
  auto spot = state_->unfollowed.begin();
  Event extra;
  const auto deliver_spots_until = [&](std::uint64_t time_ns) {
    for (; spot != state_->unfollowed.end() && spot->time_ns <= time_ns; ++spot) {
      extra = *spot;
      if (!deliver(&extra)) return false;
    }
    return true;
  };
  reader::MergedRecord merged;
  while (merger.next(&merged)) {
    state_->tick(std::min(++read, records), records);
    Event* event = builder.build(merged);
    if (event == nullptr) continue;
    const bool more = deliver_spots_until(merged.time_ns - 1) && deliver(event);
    if (!more) return;
  }
  if (state_->ticker) state_->ticker(records, records);
  if (!deliver_spots_until(UINT64_MAX)) return;
  for (const LossEvent& loss : state_->completeness.losses) {
    extra = loss;
    if (!deliver(&extra)) return;
  }
}

const Completeness& Run::completeness() const { return state_->completeness; }
const Dropped& Run::dropped() const { return state_->dropped; }
const std::string& Run::directory() const { return state_->directory; }
const std::string& Run::place() const { return state_->place; }
const std::vector<ProcessEvent>& Run::processes() const { return state_->processes; }
StackRef Run::started(std::uint32_t segment) const {
  if (segment >= state_->segments.size()) return {};
  return state_->tree.started(*state_->segments[segment]);
}

std::vector<ScriptRuntime> Run::runtimes() const { return reader::runtimes_of(state_->segments); }
std::uint64_t Run::begin_ns() const { return state_->begin_ns; }
std::uint64_t Run::end_ns() const { return state_->end_ns; }
std::array<std::uint8_t, 16> Run::boot_id() const { return state_->boot_id; }
std::uint64_t Run::begin_real_ns() const { return state_->begin_real_ns; }
std::uint64_t Run::real_ns(std::uint64_t time_ns) const {
  return begin_real_ns() + (time_ns - begin_ns());  // wraps for what is older than the run
}

std::vector<RawFrame> Run::stack(StackRef ref) const {
  if (ref.segment >= state_->segments.size()) return {};
  return state_->segments[ref.segment]->frames_of(ref.id);
}

std::optional<ScriptStack> Run::script(StackRef ref) const {
  if (ref.segment >= state_->segments.size()) return std::nullopt;
  return state_->segments[ref.segment]->script_of(ref.id);
}

bool Run::stack_truncated(StackRef ref) const {
  return ref.segment < state_->segments.size() &&
         state_->segments[ref.segment]->stack_truncated(ref.id);
}

std::uint32_t Run::pid(std::uint32_t segment) const {
  return segment < state_->segments.size() ? state_->segments[segment]->pid : 0;
}

const ModuleInfo* Run::module(std::uint32_t segment, std::uint32_t id) const {
  if (segment >= state_->segments.size()) return nullptr;
  return state_->segments[segment]->modules.find(id);
}

}  // namespace umaskaudit::reader
