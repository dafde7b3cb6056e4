// Takes free chunks into use, and reuses the oldest when there is none; see ring.h.
//
// A chunk is claimed by a compare-and-swap on its entry, and becomes the current chunk of a use by
// a second one on the tail of that use. A thread that loses the second leaves the claimed chunk
// empty for the next one. No thread waits: a SIGKILL, or a jump out of a handler, costs one chunk
// at most.

#include "preload/record/ring.h"

#include <atomic>
#include <cstring>

#include "preload/record/chunks.h"
#include "preload/record/counters.h"
#include "preload/record/lives.h"
#include "preload/record/totals.h"
#include "preload/record/written_chunks.h"
#include "preload/sys/sys.h"
#include "preload/trace/checksum.h"

namespace umaskaudit::shim {

namespace {

using trace::ChunkUse;
using trace::Ring;
using trace::RingChunk;
using trace::turn_of;
using trace::use_of;

// The first part of chunk 0 holds the ring and the totals; kept records begin after them.
constexpr unsigned kControlChunk = 1;
constexpr std::uint32_t kFirstKept = 2 * trace::kControl;
static_assert(kFirstKept < kChunk);
static_assert(sizeof(Ring) + trace::kRingChunks * sizeof(RingChunk) <= trace::kControl);
constexpr unsigned kUses = 3;

// The position of the next record of a use. The turn distinguishes two uses of a chunk.
struct Position {
  std::uint64_t turn;    // its low 24 bits
  std::uint32_t chunk;   // 0: none
  std::uint32_t offset;  // never beyond the chunk
};
Position position(std::uint64_t tail) {
  return {tail >> 40, static_cast<std::uint32_t>(tail >> 24) & 0xffff,
          static_cast<std::uint32_t>(tail) & 0xffffff};
}
std::uint64_t tail_at(std::uint64_t turn, std::uint32_t chunk, std::uint32_t offset) {
  return turn << 40 | std::uint64_t{chunk} << 24 | offset;
}
static_assert(trace::kRingChunks < 1 << 16 && kChunk < 1 << 24);

std::uint64_t word_of(std::uint64_t turn, ChunkUse use) {
  return turn << 8 | static_cast<std::uint8_t>(use);
}

std::uint64_t load(const std::uint64_t& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
void store(std::uint64_t& word, std::uint64_t value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}
template <typename Word>
bool swap(Word& word, Word expected, Word desired) {
  return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE);
}

// Per process: other threads wait a while for a chunk that one thread is looking for.
constinit std::atomic<bool> looking[kUses] = {};

class Taker {
 public:
  Taker(trace::SegmentHeader& header, Ring& ring, ChunkUse use)
      : header_(header), ring_(ring), use_(use) {}

  // Claims a chunk for this use and empties it, but for what left() says; 0: there is none.
  std::uint32_t take() {
    if (use_ == ChunkUse::kept && swap(entry(kControlChunk).word, std::uint64_t{0}, next_word())) {
      return kControlChunk;
    }
    // Kept records may take half of the chunks; events and changes share the rest.
    const std::uint32_t kept = use_ == ChunkUse::kept ? count(ChunkUse::kept) : 0;
    std::uint32_t chunk = 0;
    if (kept < ring_.chunks / 2) chunk = take_empty();
    if (kept < ring_.chunks / 2 && chunk == 0) chunk = take_unused();
    if (kept < used() / 2 && chunk == 0) chunk = take_oldest();
    return chunk;
  }

  RingChunk& entry(std::uint32_t chunk) { return reinterpret_cast<RingChunk*>(&ring_ + 1)[chunk]; }

  // The end of the records that the chunk taken last was left.
  std::uint32_t left() const { return left_; }

 private:
  std::uint64_t next_word() {
    return word_of(__atomic_add_fetch(&ring_.turns, 1, __ATOMIC_RELAXED), use_);
  }
  std::uint32_t used() const { return __atomic_load_n(&ring_.used, __ATOMIC_ACQUIRE); }
  bool is_mapped(std::uint32_t chunk) {
    return ready_chunk(chunk, 0) != nullptr || (!lately_refused() && grow(chunk) != nullptr);
  }
  std::uint32_t count(ChunkUse use) {
    std::uint32_t found = 0;
    for (std::uint32_t chunk = 1; chunk < used(); ++chunk) {
      if (use_of(load(entry(chunk).word)) == use) ++found;
    }
    return found;
  }

  std::uint32_t take_empty() {
    for (std::uint32_t chunk = kControlChunk + 1; chunk < used(); ++chunk) {
      RingChunk& found = entry(chunk);
      const std::uint64_t word = load(found.word);
      if (use_of(word) != ChunkUse::empty || !is_mapped(chunk)) continue;
      if (swap(found.word, word, next_word())) return chunk;
    }
    return 0;
  }

  std::uint32_t take_unused() {
    for (;;) {
      const std::uint32_t chunk = used();
      if (chunk >= ring_.chunks || !is_mapped(chunk)) return 0;
      if (!swap(ring_.used, chunk, chunk + 1)) continue;
      store(entry(chunk).word, next_word());
      return chunk;
    }
  }

  // Changes take chunks from events until both have the same number, so that neither crowds out the
  // other.
  std::uint32_t take_oldest() {
    const std::uint32_t events = count(ChunkUse::events);
    const std::uint32_t changes = count(ChunkUse::changes);
    const bool from_changes = changes > events || (changes == events && use_ == ChunkUse::changes);
    const ChunkUse first = from_changes ? ChunkUse::changes : ChunkUse::events;
    const ChunkUse second = from_changes ? ChunkUse::events : ChunkUse::changes;
    for (const ChunkUse victim : {first, second}) {
      const std::uint32_t chunk = take_oldest_of(victim);
      if (chunk != 0) return chunk;
    }
    return 0;
  }

  std::uint32_t take_oldest_of(ChunkUse victim) {
    std::uint64_t looked_at = 0;
    for (;;) {
      std::uint32_t oldest = 0;
      std::uint64_t word = UINT64_MAX;
      for (std::uint32_t chunk = kControlChunk + 1; chunk < used(); ++chunk) {
        const std::uint64_t here = load(entry(chunk).word);
        if (use_of(here) != victim || here <= looked_at || here >= word) continue;
        if (__atomic_load_n(&entry(chunk).end, __ATOMIC_ACQUIRE) == 0) continue;
        oldest = chunk;
        word = here;
      }
      if (oldest == 0) return 0;
      looked_at = word;
      if (is_mapped(oldest) && take_back(oldest, word)) return oldest;
    }
  }

  // False: another thread claimed it, or has a record in it to finish.
  bool take_back(std::uint32_t chunk, std::uint64_t word) {
    RingChunk& old = entry(chunk);
    unsigned char* const base = ready_chunk(chunk, 0);
    const std::uint32_t end = __atomic_load_n(&old.end, __ATOMIC_ACQUIRE);
    if (base == nullptr || end > kChunk || !is_backed(base, kChunk) ||
        committed_end(base, 0, end) != end) {
      return false;
    }
    if (!swap(old.word, word, word_of(turn_of(word), ChunkUse::dropping))) return false;
    left_ = drop_records(old, base, end, chunk);
    memset(base + left_, 0, end - left_);
    __atomic_store_n(&old.end, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&old.dropped, 0, __ATOMIC_RELEASE);
    store(old.word, next_word());
    return true;
  }

  // Marked before its records are added to the totals: a SIGKILL between the two loses one record
  // from the totals, and counts none twice. Returns the end of what was left in the chunk.
  std::uint32_t drop_records(RingChunk& old, unsigned char* base, std::uint32_t end,
                             std::uint32_t chunk) {
    note_latest(base, end);
    std::uint32_t left = 0;
    for (std::uint32_t at = 0; at < end;) {
      auto* record = reinterpret_cast<trace::RecordHeader*>(base + at);
      const std::uint32_t length = record->length;
      // invalid: the program overwrote it
      if (length < sizeof *record || length > end - at) return left;
      at += length;
      __atomic_store_n(&old.dropped, at, __ATOMIC_RELEASE);
      if (introduces_living(*record)) {
        if (use_ != ChunkUse::events) {
          if (move_on(*record)) continue;
        } else if (left + length <= kMostLeft) {
          copy(*record, base + left, chunk_begin(chunk) + left);
          left += length;
          continue;
        }
      }
      add_to_totals(totals(), header_, *record);
      add(ring_.dropped, 1);
    }
    return left;
  }

  // What introduces a living process or thread stays: at the begin of a chunk that events use
  // again, else in the chunk that they use now. A SIGKILL before the chunk is in use again loses
  // it.
  static constexpr std::uint32_t kMostLeft = kChunk / 2;

  [[gnu::noinline]] bool move_on(const trace::RecordHeader& record) {
    const RingSpace space = reserve_in_ring(header_, record.length, ChunkUse::events);
    if (space.at == nullptr) return false;
    copy(record, space.at, space.offset);
    return true;
  }

  // May overlap. The checksum depends on the place.
  static void copy(const trace::RecordHeader& record, unsigned char* to, std::uint64_t offset) {
    const std::uint32_t length = record.length;
    memmove(to + sizeof record.commit, &record.length, length - sizeof record.commit);
    const std::uint32_t commit = trace::record_checksum(to, length, offset);
    __atomic_store_n(reinterpret_cast<std::uint32_t*>(to), commit, __ATOMIC_RELEASE);
  }

  // Stored before the first record is dropped, so that after a SIGKILL at any point no later event
  // is missing.
  void note_latest(const unsigned char* base, std::uint32_t end) {
    std::uint64_t latest = 0;
    for (std::uint32_t at = 0; at < end;) {
      const auto* record = reinterpret_cast<const trace::RecordHeader*>(base + at);
      const std::uint32_t length = record->length;
      if (length < sizeof *record) break;
      at += length;
      if (record->time_ns > latest) latest = record->time_ns;
    }
    raise(ring_.whole_since_ns, latest);
  }

  trace::Total* totals() {
    return reinterpret_cast<trace::Total*>(reinterpret_cast<unsigned char*>(&ring_) +
                                           trace::kControl);
  }

  trace::SegmentHeader& header_;
  Ring& ring_;
  ChunkUse use_;
  std::uint32_t left_ = 0;
};

// Null: refused. Every step is idempotent, whichever thread makes it.
Ring* open_ring(trace::SegmentHeader& header) {
  if (ready_chunk(kControlChunk, 0) == nullptr &&
      (lately_refused() || grow(kControlChunk) == nullptr)) {
    return nullptr;
  }
  unsigned char* const base = ready_chunk(kControlChunk, 0);
  auto* const ring = reinterpret_cast<Ring*>(base);
  if (__atomic_load_n(&header.ring, __ATOMIC_ACQUIRE) != 0) return ring;
  const std::uint64_t chunks_of_limit = 1 + (limit - kFirstChunk) / kChunk;
  __atomic_store_n(&ring->chunks,
                   static_cast<std::uint32_t>(
                       chunks_of_limit < trace::kRingChunks ? chunks_of_limit : trace::kRingChunks),
                   __ATOMIC_RELAXED);
  swap(ring->used, std::uint32_t{0}, std::uint32_t{kControlChunk + 1});
  const auto at = static_cast<std::uint32_t>(kFirstChunk);
  swap(header.totals, std::uint32_t{0}, at + trace::kControl);
  swap(header.ring, std::uint32_t{0}, at);
  return ring;
}

// The current chunk of a use is full: from now on it may be reused.
void close_chunk(Ring& ring, std::uint64_t& tail, std::uint64_t word) {
  const Position full = position(word);
  if (!swap(tail, word, tail_at(full.turn, 0, 0))) return;
  RingChunk& entry = reinterpret_cast<RingChunk*>(&ring + 1)[full.chunk];
  __atomic_store_n(&entry.end, full.offset, __ATOMIC_RELEASE);
}

// False: there is none.
[[gnu::noinline, gnu::cold]] bool begin_chunk(trace::SegmentHeader& header, Ring& ring,
                                              ChunkUse use, std::uint64_t& tail,
                                              std::uint64_t word) {
  std::atomic<bool>& somebody_looks = looking[static_cast<unsigned>(use) - 1];
  constexpr unsigned kPatience = 64;
  bool mine = !somebody_looks.exchange(true, std::memory_order_acquire);
  for (unsigned i = 0; i < kPatience && !mine; ++i) {
    sys::call(SYS_sched_yield);
    if (load(tail) != word) return true;
    mine = !somebody_looks.exchange(true, std::memory_order_acquire);
  }
  // a jump out of a handler would leave a chunk that is neither full nor empty
  const sys::WithoutSignals guard;
  Taker taker(header, ring, use);
  const std::uint32_t chunk = load(tail) == word ? taker.take() : 0;
  if (chunk != 0) {
    RingChunk& taken = taker.entry(chunk);
    const std::uint64_t turn = turn_of(load(taken.word));
    const std::uint32_t offset = chunk == kControlChunk ? kFirstKept : taker.left();
    const bool begun = swap(tail, word, tail_at(turn & 0xffffff, chunk, offset));
    if (!begun && taker.left() != 0) {
      __atomic_store_n(&taken.end, offset, __ATOMIC_RELEASE);  // a full chunk, but a short one
    } else if (!begun) {
      store(taken.word, chunk == kControlChunk ? 0 : word_of(turn, ChunkUse::empty));
    }
  }
  somebody_looks.store(false, std::memory_order_release);
  return load(tail) != word;
}

// Room for an event where no chunk for events can be had, which is mostly so for a moment: while
// the run is at its bound. What is left of the current chunk of kept records; null: nothing.
[[gnu::noinline, gnu::cold]] RingSpace reserve_beside(trace::SegmentHeader& header, Ring& ring,
                                                      std::uint32_t length, trace::Loss refusal) {
  std::uint64_t& tail = ring.tails[static_cast<unsigned>(ChunkUse::kept) - 1];
  const RingChunk& control = reinterpret_cast<const RingChunk*>(&ring + 1)[kControlChunk];
  for (;;) {
    const std::uint64_t word = load(tail);
    const Position next = position(word);
    if (next.chunk == 0) {
      if (load(control.word) == 0 && begin_chunk(header, ring, ChunkUse::kept, tail, word))
        continue;
      return {nullptr, 0, refusal};
    }
    unsigned char* const base = ready_chunk(next.chunk, 0);
    if (base == nullptr || next.offset + length > kChunk ||
        !is_backed(base + next.offset, length)) {
      return {nullptr, 0, refusal};
    }
    if (swap(tail, word, word + length)) {
      return {base + next.offset, chunk_begin(next.chunk) + next.offset, {}};
    }
  }
}

}  // namespace

RingSpace reserve_in_ring(trace::SegmentHeader& header, std::uint32_t length, ChunkUse use) {
  Ring* const ring = open_ring(header);
  if (ring == nullptr) return {nullptr, 0, latest_refusal()};
  std::uint64_t& tail = ring->tails[static_cast<unsigned>(use) - 1];
  for (;;) {
    const std::uint64_t word = load(tail);
    const Position next = position(word);
    if (next.chunk == 0) {
      if (begin_chunk(header, *ring, use, tail, word)) continue;
      const bool limited = __atomic_load_n(&ring->used, __ATOMIC_ACQUIRE) < ring->chunks;
      const bool refused = limited || lately_refused();
      const trace::Loss why = refused ? latest_refusal() : trace::Loss::segment_full;
      if (use == ChunkUse::events) return reserve_beside(header, *ring, length, why);
      return {nullptr, 0, why};
    }
    if (next.offset + length > kChunk) {
      close_chunk(*ring, tail, word);
      continue;
    }
    unsigned char* base = ready_chunk(next.chunk, 0);
    if (base == nullptr && !lately_refused()) base = grow(next.chunk);
    if (base == nullptr) return {nullptr, 0, latest_refusal()};
    if (!is_backed(base + next.offset, length)) return {nullptr, 0, trace::Loss::no_space};
    if (swap(tail, word, word + length)) {
      return {base + next.offset, chunk_begin(next.chunk) + next.offset, {}};
    }
  }
}

void map_ring_ahead(trace::SegmentHeader& header, unsigned count) {
  const Ring* const ring = open_ring(header);
  if (ring == nullptr) return;
  for (std::uint32_t chunk = kControlChunk; chunk < ring->chunks; ++chunk) {
    const bool wanted = chunk < __atomic_load_n(&ring->used, __ATOMIC_ACQUIRE) || count-- > 0;
    if (!wanted) return;
    if (ready_chunk(chunk, 0) == nullptr && grow(chunk) == nullptr) return;
  }
}

}  // namespace umaskaudit::shim
