// Creates segment files and reserves space for records in them; see segment.h.

#include "preload/record/segment.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <initializer_list>

#include "preload/record/backing.h"
#include "preload/record/chunks.h"
#include "preload/record/counters.h"
#include "preload/record/ended_segments.h"
#include "preload/record/memory_share.h"
#include "preload/record/ring.h"
#include "preload/record/run_state.h"
#include "preload/record/served_segment.h"
#include "preload/record/start_facts.h"
#include "preload/record/totals.h"
#include "preload/record/trace_files.h"
#include "preload/record/written_chunks.h"
#include "preload/state.h"
#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"
#include "preload/trace/checksum.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint32_t kHeaderLength = sizeof(trace::SegmentHeader) +
                                        trace::kRepeats * sizeof(trace::Repeat) +
                                        trace::kFolds * sizeof(trace::FoldCell);
static_assert(kHeaderLength < kFirstBacked);
constexpr auto kChangeRecords = static_cast<unsigned>(trace::IdSpace::change_records);

trace::SegmentHeader* header;
bool is_served = false;  // the segment was made by `umaskaudit run`
char outer_root[sizeof ServedSegment::root];
std::uint32_t outer_root_length = 0;
// losses that could not be counted in the header yet
constinit std::atomic<std::uint64_t> untold = 0;

std::uint64_t segment_limit(std::uint64_t largest) {
  std::uint64_t size = process.options.max_size;
  const std::uint64_t of_run = process.options.max_run;
  if (of_run != 0 && size > of_run) size = of_run;
  if (process.options.keep == Keep::latest && size < kLeastRing) size = kLeastRing;
  if (size > kMaxSegment) size = kMaxSegment;
  if (size > largest) size = largest;
  return whole_chunks(size);
}

void fill_header(std::uint32_t pid, std::uint64_t now, const std::uint8_t (&boot_id)[16]) {
  memcpy(header->magic, trace::kMagic, sizeof header->magic);
  header->major = trace::kMajor;
  header->minor = trace::kMinor;
  header->header_length = kHeaderLength;
  header->repeats = trace::kRepeats;
  header->folds = trace::kFolds;
  header->byte_order = trace::kByteOrder;
  header->word_size = sizeof(void*);
  memcpy(header->boot_id, boot_id, sizeof header->boot_id);
  header->mono_ns = now;
  header->real_ns = sys::now_ns(CLOCK_REALTIME);
  header->pid = pid;
  header->ppid = static_cast<std::uint32_t>(sys::call(SYS_getppid));
  header->limit = limit;
  for (auto& id : header->next_id) id = 1;
  __atomic_store_n(&header->tail, kHeaderLength, __ATOMIC_RELEASE);
}

struct Beginning {
  std::uint32_t pid;
  unsigned long filesystem;  // that the file is on
  trace::RunState* state;    // null: there is none
};

// Maps the beginning of a new segment; 0 or an error number. The caller closes `fd`.
int map_segment(int fd, const Beginning& beginning, std::uint64_t now) {
  const auto& [pid, filesystem, state] = beginning;
  write_in_place(fd, filesystem);
  int error = 0;
  unsigned char* at = map_first_chunk(fd, error);
  if (at == nullptr) return error;
  header = reinterpret_cast<trace::SegmentHeader*>(at);
  std::uint8_t boot_id[16] = {};
  read_start_facts(state, boot_id);
  fill_header(pid, now, boot_id);
  first_chunk.store(at, std::memory_order_release);
  return 0;
}

// Creates a segment in the directory and maps its beginning; 0 or an error number.
int map_new_segment(int directory, const Beginning& beginning) {
  const std::uint64_t now = sys::now_ns();
  char name[kSegmentNameSize];
  const int fd = create_segment(directory, beginning.pid, now, name);
  if (fd < 0) return -fd;
  const int error = map_segment(fd, beginning, now);
  sys::close(fd);
  // Removed, because an empty segment would look like a damaged one.
  if (error != 0) sys::call(SYS_unlinkat, directory, sys::arg(name), 0);
  return error;
}

// `largest`, or less on a filesystem in memory. That is mostly found out later, because most images
// never need a second chunk: reading nine files of proc(5) and sysfs(5) was a sixth of the cost of
// a start. With keep=latest the limit decides the layout, and must be known now.
std::uint64_t bound_by_memory(unsigned long filesystem, std::uint64_t largest) {
  std::uint64_t share = UINT64_MAX;
  if (!is_memory(filesystem)) return largest;
  if (process.options.keep == Keep::latest) {
    read_share_of_memory(kFirstChunk, share);
  } else {
    ask_for_share_later();
  }
  return share < largest ? share : largest;
}

// The same for a segment that `umaskaudit run` creates, which does the accounting itself.
int map_served_segment(std::uint32_t pid) {
  const std::uint64_t largest = largest_file();
  if (segment_limit(largest) == 0) return EFBIG;
  ServedSegment served;
  int error = ask_for_segment(pid, served);
  if (error != 0) return error;
  const unsigned long filesystem = filesystem_of(served.fd);
  const std::uint64_t most = bound_by_memory(filesystem, largest);
  limit = segment_limit(most < served.limit ? most : served.limit);
  error = limit == 0 ? EFBIG : map_segment(served.fd, {pid, filesystem, nullptr}, sys::now_ns());
  tell_outcome(served, error);
  if (error != 0) return error;
  is_served = true;
  memcpy(outer_root, served.root, served.root_length);
  outer_root_length = served.root_length;
  return 0;
}

struct Opening {
  const char* directory;
  std::uint32_t pid;
  int error;
};

void open_files(void* argument) {
  auto* opening = static_cast<Opening*>(argument);
  // With recorder= the run directory exists. A directory created here in another root would not be
  // part of the run.
  const bool has_recorder = !process.options.recorder.empty();
  const int directory = open_directory(opening->directory, !has_recorder);
  opening->error = directory < 0 ? -directory : 0;
  if (directory < 0) {
    if (has_recorder && is_out_of_reach(opening->error)) {
      opening->error = map_served_segment(opening->pid);
    }
    return;
  }
  const std::uint64_t largest = largest_file();
  const unsigned long filesystem = filesystem_of(directory);
  trace::RunState* state = map_run_state(directory, filesystem, largest);
  if (state != nullptr) add(state->images, 1);
  limit = segment_limit(bound_by_memory(filesystem, largest));
  if (state != nullptr && process.options.max_run != 0) drop_ended_segments(directory, *state);
  if (limit == 0) {
    opening->error = EFBIG;
  } else if (!begin_in_run(state)) {
    opening->error = EDQUOT;
  } else {
    opening->error = map_new_segment(directory, {opening->pid, filesystem, state});
    if (opening->error != 0 && state != nullptr) give_back_to_run(*state, kFirstBacked);
  }
  sys::close(directory);
  if (state == nullptr) {
    // Read-only here.
    if (has_recorder && is_out_of_reach(opening->error)) {
      opening->error = map_served_segment(opening->pid);
    }
    return;
  }
  add(opening->error == 0 ? state->segments : state->segments_failed, 1);
  if (opening->error != 0) state->last_errno = static_cast<std::uint64_t>(opening->error);
  keep_run_state(state);
}

}  // namespace

int open_segment(const char* directory, std::uint32_t pid) {
  Opening opening{directory, pid, EAGAIN};
  run_in_own_table(open_files, &opening);
  return opening.error;
}

void prepare_to_move() { settle_limit(); }

bool has_served_segment() { return is_served; }

ServedRoot served_root() { return {outer_root, outer_root_length}; }

trace::SegmentHeader* segment_header() {
  if (__builtin_expect(!copies_on_write, 1) || header == nullptr) return header;
  const bool waiting = lately_refused();
  if (waiting || !is_backed(header, sizeof *header)) {
    if (!waiting) refuse(trace::Loss::no_space);
    untold.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  add(header->lost[static_cast<unsigned>(trace::Loss::no_space)], untold.exchange(0));
  return header;
}

namespace {

// Only if the limit is large enough; else keep=latest acts as keep=first.
bool is_ring() {
  return __builtin_expect(process.options.keep == Keep::latest, 0) && limit >= kLeastRing;
}

}  // namespace

bool take_room_for_changes(std::uint32_t records) {
  trace::SegmentHeader* const mapped = segment_header();
  if (mapped == nullptr) return false;
  if (is_ring()) return true;
  constexpr std::uint64_t kSize = sizeof(trace::RecordHeader) + sizeof(trace::Umask);
  std::uint32_t* const taken = &mapped->next_id[kChangeRecords];
  if (__atomic_load_n(taken, __ATOMIC_RELAXED) * kSize >= limit / 2) return false;
  __atomic_fetch_add(taken, records, __ATOMIC_RELAXED);
  return true;
}

namespace {

// Turns reserved but unused space into a pad record: zeros would be taken for the records of a
// killed process.
void fill(const Space& space, std::uint32_t length) {
  auto& pad = *reinterpret_cast<trace::RecordHeader*>(space.at);
  pad.length = length;
  pad.type = static_cast<std::uint16_t>(trace::RecordType::pad);
  pad.time_ns = sys::now_ns();
  pad.pid = process.pid.load(std::memory_order_relaxed);
  pad.tid = pad.pid;
  __atomic_store_n(&pad.commit, trace::record_checksum(space.at, length, space.offset),
                   __ATOMIC_RELEASE);
}

// Reserves the totals, if the segment has none yet. A full segment has none.
void make_totals() {
  const Space space = reserve(trace::kControl, trace::ChunkUse::kept);
  if (space.at == nullptr) return;
  std::uint32_t none = 0;
  // Several threads may get here at once.
  if (!__atomic_compare_exchange_n(&header->totals, &none, static_cast<std::uint32_t>(space.offset),
                                   false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    fill(space, trace::kControl);
  }
}

// Null: there are none, or they cannot be written to at the moment.
trace::Total* totals() {
  const std::uint32_t at = __atomic_load_n(&header->totals, __ATOMIC_ACQUIRE);
  if (at == 0 || at + trace::kControl > limit) return nullptr;
  const unsigned chunk = chunk_of(at);
  unsigned char* base = ready_chunk(chunk, at + trace::kControl);
  if (base == nullptr && !lately_refused()) base = grow(chunk);
  if (base == nullptr) return nullptr;
  base += at - chunk_begin(chunk);
  return is_backed(base, trace::kControl) ? reinterpret_cast<trace::Total*>(base) : nullptr;
}

}  // namespace

void count_refused_change(std::uint64_t time_ns, const trace::Umask& change) {
  count_loss(trace::Loss::segment_full);
  if (header == nullptr) return;
  if (__atomic_load_n(&header->totals, __ATOMIC_ACQUIRE) == 0) make_totals();
  trace::Total* const cells = totals();
  if (cells != nullptr) add_change_to_totals(cells, time_ns, change);
}

trace::FoldCell* fold_cell(std::uint32_t index) {
  if (header == nullptr || index >= trace::kFolds) return nullptr;
  auto* const repeats = reinterpret_cast<trace::Repeat*>(header + 1);
  trace::FoldCell* cell = reinterpret_cast<trace::FoldCell*>(repeats + trace::kRepeats) + index;
  return is_backed(cell, sizeof *cell) ? cell : nullptr;
}

void count_loss(trace::Loss reason) {
  trace::SegmentHeader* const mapped = segment_header();
  if (mapped == nullptr) return;
  add(mapped->lost[static_cast<unsigned>(reason)], 1);
}

namespace {

[[gnu::noinline]] Space reserve_latest(std::uint32_t length, trace::ChunkUse use) {
  const RingSpace space = reserve_in_ring(*header, length, use);
  if (space.at == nullptr) count_loss(space.refusal);
  return {space.at, space.offset};
}

}  // namespace

Space reserve(std::uint32_t length, trace::ChunkUse use) {
  if (segment_header() == nullptr) return {};
  const bool ring = is_ring();
  for (;;) {
    // A full segment is detected before the add: `tail` must not wrap around, and an addition
    // cannot be undone, because another thread may have reserved space after it.
    std::uint64_t offset = __atomic_load_n(&header->tail, __ATOMIC_RELAXED);
    if (ring && offset + length > kFirstChunk) return reserve_latest(length, use);
    if (lately_refused() && offset < limit &&
        ready_chunk(chunk_of(offset), offset + length) == nullptr) {
      count_loss(latest_refusal());
      return {};
    }
    if (offset < limit) offset = __atomic_fetch_add(&header->tail, length, __ATOMIC_RELAXED);
    if (ring && offset + length > kFirstChunk) return reserve_latest(length, use);
    if (offset + length > limit) {
      count_loss(trace::Loss::segment_full);
      return {};
    }
    const unsigned chunk = chunk_of(offset);
    // A record never crosses into the next chunk, which may be mapped anywhere. The rest of this
    // one stays zero; the reader skips zeros.
    if (chunk_of(offset + length - 1) != chunk) {
      const std::uint64_t end = chunk_begin(chunk + 1);
      note_gap(chunk, static_cast<std::uint32_t>(offset - chunk_begin(chunk)),
               static_cast<std::uint32_t>(offset + length - end));
      continue;
    }
    unsigned char* base = ready_chunk(chunk, offset + length);
    if (base == nullptr) base = grow(chunk);
    if (base == nullptr) {
      count_loss(latest_refusal());
      return {};
    }
    map_next(chunk, offset, offset + length);
    unsigned char* at = base + (offset - chunk_begin(chunk));
    if (!is_backed(at, length)) {
      refuse(trace::Loss::no_space);
      count_loss(trace::Loss::no_space);
      return {};
    }
    return {at, offset};
  }
}

void map_ahead() {
  if (header == nullptr) return;
  constexpr unsigned kAhead = 16;  // 4 MiB
  if (grow(0) == nullptr) return;
  if (is_ring()) return map_ring_ahead(*header, kAhead);
  const unsigned now = chunk_of(__atomic_load_n(&header->tail, __ATOMIC_RELAXED));
  for (unsigned chunk = now; chunk < now + kAhead && chunk < kChunks; ++chunk) {
    if (chunk_begin(chunk) + chunk_size(chunk) > limit) return;
    const bool is_there = chunk_place(chunk).load(std::memory_order_acquire) != nullptr;
    if (!is_there && grow(chunk) == nullptr) return;
  }
}

long sync_segment() {
  for (unsigned chunk = 0; chunk < kChunks; ++chunk) {
    const long error = header != nullptr ? sync_chunk(chunk) : 0;
    if (error != 0) return error;
  }
  return 0;
}

}  // namespace umaskaudit::shim
