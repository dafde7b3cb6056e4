// Finds, totals and removes segments that no process writes to any more; see ended_segments.h.

#include "preload/record/ended_segments.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cstring>

#include "preload/record/counters.h"
#include "preload/record/run_state.h"
#include "preload/record/totals.h"
#include "preload/record/trace_files.h"
#include "preload/state.h"
#include "preload/sys/sys.h"
#include "preload/trace/ring.h"

namespace umaskaudit::shim {

namespace {

using trace::ChunkUse;

void add_created(trace::RunState& state, std::uint8_t created, std::uint8_t kind,
                 std::uint64_t amount) {
  constexpr unsigned kKinds = sizeof state.dropped_created / sizeof state.dropped_created[0];
  const bool made = created == static_cast<std::uint8_t>(trace::Created::yes) ||
                    created == static_cast<std::uint8_t>(trace::Created::probably);
  if (made && kind < kKinds) add(state.dropped_created[kind], amount);
}

// A mapped segment. Its header is trusted only as far as the file is long.
struct Mapped {
  const unsigned char* base;
  std::uint64_t size;

  const trace::SegmentHeader& header() const {
    return *reinterpret_cast<const trace::SegmentHeader*>(base);
  }
  // Null: it has none.
  const trace::Ring* ring() const {
    const std::uint64_t at = header().ring;
    if (at == 0 || at % trace::kRecordAlign != 0 || at + 2 * trace::kControl > size) return nullptr;
    return reinterpret_cast<const trace::Ring*>(base + at);
  }
};

// Calls `see` for each record from `at` to `end`.
template <typename See>
void for_each_record(const Mapped& segment, std::uint64_t at, std::uint64_t end, See see) {
  if (end > segment.size) end = segment.size;
  while (at < end && end - at >= sizeof(trace::RecordHeader)) {
    const auto& record = *reinterpret_cast<const trace::RecordHeader*>(segment.base + at);
    const std::uint32_t length = record.length;
    if (record.commit == 0 || length < sizeof record || length > end - at ||
        length % trace::kRecordAlign != 0) {
      at += trace::kRecordAlign;  // the rest of a chunk, or a record that was never finished
      continue;
    }
    at += length;
    see(record);
  }
}

template <typename See>
void for_each_record(const Mapped& segment, See see) {
  const trace::SegmentHeader& header = segment.header();
  const trace::Ring* const ring = segment.ring();
  if (ring == nullptr) {
    const std::uint64_t end = header.tail < header.limit ? header.tail : header.limit;
    for_each_record(segment, header.header_length, end, see);
    return;
  }
  for_each_record(segment, header.header_length, trace::kFirstChunk, see);
  const auto* entries = reinterpret_cast<const trace::RingChunk*>(ring + 1);
  const std::uint32_t used = ring->used < trace::kRingChunks ? ring->used : trace::kRingChunks;
  for (std::uint32_t chunk = 1; chunk < used; ++chunk) {
    const ChunkUse use = trace::use_of(entries[chunk].word);
    if (!trace::has_records(use)) continue;
    const std::uint64_t begin = trace::chunk_begin(chunk);
    const std::uint64_t counted = use == ChunkUse::dropping ? entries[chunk].dropped : 0;
    const std::uint64_t skipped = chunk == 1 ? 2 * trace::kControl : counted;
    for_each_record(segment, begin + skipped, trace::chunk_begin(chunk + 1), see);
  }
}

void count_totals(const trace::Ring& ring, trace::RunState& state) {
  add(state.dropped_records, ring.dropped);
  raise(state.dropped_whole_since_ns, ring.whole_since_ns);
  const auto* cells = reinterpret_cast<const trace::Total*>(
      reinterpret_cast<const unsigned char*>(&ring) + trace::kControl);
  for (std::uint32_t i = 0; i < trace::kTotals; ++i) {
    if (cells[i].type == static_cast<std::uint16_t>(trace::RecordType::umask)) {
      add(state.dropped_changes, cells[i].count);
    } else if (cells[i].type == static_cast<std::uint16_t>(trace::RecordType::create)) {
      add_created(state, cells[i].created, cells[i].kind, cells[i].count);
    }
  }
}

void count(const Mapped& segment, trace::RunState& state) {
  for_each_record(segment, [&](const trace::RecordHeader& record) {
    add(state.dropped_records, 1);
    raise(state.dropped_whole_since_ns, record.time_ns);
    add(state.dropped_changes, changes_of(record));
    const trace::Create* create = creation_of(record);
    if (create != nullptr) add_created(state, create->created, create->kind, 1);
  });
  if (segment.ring() != nullptr) count_totals(*segment.ring(), state);
}

// Whether every process that recorded into it has ended, by pid.
bool all_have_ended(const Mapped& segment) {
  bool ended = true;
  for_each_record(segment, [&](const trace::RecordHeader& record) {
    if (record.type != static_cast<std::uint16_t>(trace::RecordType::process)) return;
    ended = ended && sys::call(SYS_kill, record.pid, 0) == -ESRCH;
  });
  return ended;
}

// overlayfs maps the lower file, which a lease on the upper one does not notice.
bool lease_tells(int fd) {
  struct statfs filesystem {};
  return sys::call(SYS_fstatfs, fd, sys::arg(&filesystem)) == 0 &&
         static_cast<unsigned long>(filesystem.f_type) != OVERLAYFS_SUPER_MAGIC;
}

bool is_segment(const trace::SegmentHeader& header, std::uint64_t size) {
  return memcmp(header.magic, trace::kMagic, sizeof header.magic) == 0 &&
         header.major == trace::kMajor && header.header_length >= sizeof header &&
         header.header_length < size && header.header_length % trace::kRecordAlign == 0;
}

// Adds it to the totals and removes it; false: it is in use, or its content is invalid.
bool drop(int directory, const char* name, int fd, trace::RunState& state) {
  struct stat facts {};
  if (!is_own_file(fd, facts)) return false;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size < sizeof(trace::SegmentHeader)) return false;
  // A write lease is granted only while no other process has the file open or mapped (F_SETLEASE in
  // fcntl(2)). A process that opens it during the lease makes the kernel signal us: SIGIO, set to
  // one that is ignored by default, and a starting image has no handlers.
  if (sys::call(SYS_fcntl, fd, F_SETSIG, SIGURG) != 0 ||
      sys::call(SYS_fcntl, fd, F_SETLEASE, F_WRLCK) != 0) {
    return false;
  }
  const auto* base = static_cast<const unsigned char*>(sys::map(size, PROT_READ, MAP_SHARED, fd));
  if (base == nullptr) return false;
  const Mapped segment{base, size};
  const bool ended =
      is_segment(segment.header(), size) && (lease_tells(fd) || all_have_ended(segment));
  const bool removed = ended && sys::call(SYS_unlinkat, directory, sys::arg(name), 0) == 0;
  if (removed) {
    count(segment, state);
    add(state.dropped_segments, 1);
    give_back_to_run(state, paid_for(segment.header()));
  }
  sys::unmap(const_cast<unsigned char*>(base), size);
  return removed;
}

void try_to_drop(int directory, const char* name, trace::RunState& state) {
  const int fd = sys::open(name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, directory);
  if (fd < 0) return;
  drop(directory, name, fd, state);
  sys::close(fd);  // which ends the lease
}

struct Name {
  std::uint64_t stamp = UINT64_MAX;  // start time of the image
  char text[kSegmentNameSize] = {};
};

// Parses "<pid>-<16 hex digits>.seg"; UINT64_MAX: another name.
std::uint64_t stamp_of(const char* name) {
  const char* at = strchr(name, '-');
  if (at == nullptr || strlen(name) >= kSegmentNameSize) return UINT64_MAX;
  std::uint64_t stamp = 0;
  unsigned digits = 0;
  for (++at; digits < 16; ++digits, ++at) {
    const bool decimal = *at >= '0' && *at <= '9';
    if (!decimal && (*at < 'a' || *at > 'f')) return UINT64_MAX;
    stamp = stamp << 4 | static_cast<unsigned>(decimal ? *at - '0' : *at - 'a' + 10);
  }
  return strcmp(at, trace::kSegmentSuffix) == 0 ? stamp : UINT64_MAX;
}

constexpr unsigned kAtOnce = 16;

// Sorted by start time.
void insert(Name (&oldest)[kAtOnce], const char* name, std::uint64_t stamp) {
  if (stamp >= oldest[kAtOnce - 1].stamp) return;
  unsigned place = kAtOnce - 1;
  for (; place > 0 && oldest[place - 1].stamp > stamp; --place) oldest[place] = oldest[place - 1];
  oldest[place].stamp = stamp;
  memcpy(oldest[place].text, name, strlen(name) + 1);  // fits, as stamp_of() has checked
}

// Collects the oldest segments that started at `from` or later.
void find_oldest(int directory, std::uint64_t from, Name (&oldest)[kAtOnce]) {
  alignas(dirent64) char buffer[4096];
  sys::call(SYS_lseek, directory, 0, SEEK_SET);
  for (;;) {
    const long size = sys::call(SYS_getdents64, directory, sys::arg(buffer), sizeof buffer);
    if (size <= 0) return;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      const std::uint64_t stamp = stamp_of(entry->d_name);
      if (stamp >= from) insert(oldest, entry->d_name, stamp);
      at += entry->d_reclen;
    }
  }
}

}  // namespace

void drop_ended_segments(int directory, trace::RunState& state) {
  // Growing segments may take three quarters of the bound: keep an eighth free for them.
  const std::uint64_t bound = process.options.max_run;
  const std::uint64_t allowed = bound / 4 * 3 - bound / 8;
  const std::uint64_t wanted = allowed - bound / 16;
  const auto taken = [&] { return __atomic_load_n(&state.taken, __ATOMIC_RELAXED); };
  if (bound == 0 || process.options.keep != Keep::latest || taken() <= allowed) return;
  std::uint64_t from = 0;
  for (;;) {
    Name oldest[kAtOnce];
    find_oldest(directory, from, oldest);
    for (const Name& name : oldest) {
      if (name.stamp == UINT64_MAX || taken() <= wanted) return;
      try_to_drop(directory, name.text, state);
    }
    from = oldest[kAtOnce - 1].stamp + 1;
  }
}

}  // namespace umaskaudit::shim
