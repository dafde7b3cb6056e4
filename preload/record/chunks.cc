// Maps chunks and backs them; see chunks.h.

#include "preload/record/chunks.h"

#include <linux/mman.h>
#include <sys/mman.h>

#include <initializer_list>

#include "preload/record/memory_share.h"
#include "preload/record/run_state.h"
#include "preload/record/written_chunks.h"
#include "preload/state.h"
#include "preload/sys/at_start.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

UMASKAUDIT_AT_START(words) constinit std::atomic<unsigned char*> first_chunk = nullptr;
constinit std::atomic<unsigned char*> later_chunks[kChunks - 1] = {};
constinit std::atomic<std::uint64_t> first_backed = 0;
constinit std::atomic<std::uint64_t> limit = 0;

namespace {

// Where chunks cannot be mapped later (map_at_once), the whole segment is mapped at the start.
constexpr std::uint64_t kLimitAtOnce = kFirstChunk + 32 * kChunk;

// The number of threads that use a chunk's mapping for anything but their own reserved record:
// while it is not 0 nothing is unmapped.
constinit std::atomic<unsigned> users = 0;
class Use {
 public:
  Use() { users.fetch_add(1, std::memory_order_seq_cst); }
  ~Use() { users.fetch_sub(1, std::memory_order_release); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
};
// Not reset in a forked child, nor is `users`: where another thread held them at the fork, the
// child's chunks stay mapped.
constinit std::atomic<bool> releasing = false;
constinit std::atomic<bool> released[kChunks] = {};
bool mapped_at_once = false;

// After a refusal the next attempt waits: on a full filesystem the attempt itself may take a tenth
// of a second (btrfs first writes out what it can).
constexpr std::uint64_t kPatience = 1000000000;
constinit std::atomic<std::uint64_t> retry_at = 0;  // 0: never refused
// the reason of the last refusal
constinit std::atomic<trace::Loss> refusal = trace::Loss::segment_full;

}  // namespace

unsigned char* refuse(trace::Loss reason) {
  refusal.store(reason, std::memory_order_relaxed);
  retry_at.store(sys::now_ns() + kPatience, std::memory_order_relaxed);
  return nullptr;
}

bool lately_refused() {
  const std::uint64_t until = retry_at.load(std::memory_order_relaxed);
  return __builtin_expect(until != 0, 0) && sys::now_ns() < until;
}

trace::Loss latest_refusal() { return refusal.load(std::memory_order_relaxed); }

namespace {

// In a ring the oldest chunks can always be taken, so there is no wait.
unsigned char* refuse_by_run() {
  if (process.options.keep == Keep::first) return refuse(trace::Loss::run_full);
  refusal.store(trace::Loss::run_full, std::memory_order_relaxed);
  return nullptr;
}

static_assert(kChunks <= UINT16_MAX);  // trace::SegmentHeader::chunks_paid

trace::SegmentHeader& mapped_header() {
  return *reinterpret_cast<trace::SegmentHeader*>(first_chunk.load(std::memory_order_relaxed));
}

// Backs the rest of the first chunk. Every process that shares the segment may call it: pages that
// are present stay.
bool back_first_chunk() {
  unsigned char* base = first_chunk.load(std::memory_order_relaxed);
  if (!populate(base + kFirstBacked, kFirstChunk - kFirstBacked)) return false;
  first_backed.store(kFirstChunk, std::memory_order_relaxed);
  return true;
}

// Maps chunk `wanted` without a descriptor: mremap(2) with an old size of 0 duplicates a mapping of
// shared pages, and may extend it. Null: no memory.
unsigned char* map_from(unsigned known, unsigned char* base, unsigned wanted) {
  unsigned char* last_page = base + chunk_size(known) - kPage;
  const std::uint64_t skip = chunk_begin(wanted) - (chunk_begin(known) + chunk_size(known)) + kPage;
  const long mapped = sys::call(SYS_mremap, sys::arg(last_page), 0,
                                static_cast<long>(skip + chunk_size(wanted)), MREMAP_MAYMOVE);
  if (sys::failed(mapped)) return nullptr;
  auto* at = reinterpret_cast<unsigned char*>(mapped);
  sys::unmap(at, skip);
  return at + skip;
}

constinit std::atomic<bool> share_to_ask = false;

}  // namespace

std::uint64_t whole_chunks(std::uint64_t size) {
  return size < kFirstChunk ? 0 : kFirstChunk + (size - kFirstChunk) / kChunk * kChunk;
}

void ask_for_share_later() { share_to_ask.store(true, std::memory_order_relaxed); }

// Not below what other threads reserve by the old limit: a reader trusts the header's limit.
void settle_limit() {
  if (!share_to_ask.load(std::memory_order_relaxed) || !share_to_ask.exchange(false)) return;
  std::uint64_t share = 0;
  if (!read_share_of_memory(kFirstChunk, share)) {
    share_to_ask.store(true, std::memory_order_relaxed);
    return;
  }
  unsigned char* const first = first_chunk.load(std::memory_order_relaxed);
  std::uint64_t settled = whole_chunks(share);
  if (first != nullptr) {
    const std::uint64_t tail = __atomic_load_n(&mapped_header().tail, __ATOMIC_RELAXED);
    const std::uint64_t reserved = chunk_begin(chunk_of(tail) + 1);
    if (settled < reserved) settled = reserved;
  }
  if (settled >= limit.load(std::memory_order_relaxed)) return;
  limit.store(settled, std::memory_order_relaxed);
  if (first != nullptr) __atomic_store_n(&mapped_header().limit, settled, __ATOMIC_RELAXED);
}

namespace {

[[gnu::noinline]] unsigned char* map_chunk(unsigned wanted) {
  settle_limit();
  if (chunk_begin(wanted) + chunk_size(wanted) > limit) return refuse(trace::Loss::segment_full);
  const Use use;
  if (!pay_for_chunk(mapped_header(), wanted)) return refuse_by_run();
  unsigned known = wanted;
  unsigned char* base = nullptr;
  while (base == nullptr) base = chunk_place(--known).load(std::memory_order_seq_cst);
  unsigned char* at = map_from(known, base, wanted);
  if (at == nullptr) return refuse(trace::Loss::no_memory);
  if (!populate(at, chunk_size(wanted))) {
    sys::unmap(at, chunk_size(wanted));
    return refuse(trace::Loss::no_space);
  }
  // The first to store wins; no thread waits, because the other may be one that a signal handler
  // interrupted.
  unsigned char* expected = nullptr;
  if (!chunk_place(wanted).compare_exchange_strong(expected, at, std::memory_order_acq_rel)) {
    sys::unmap(at, chunk_size(wanted));
    return expected;
  }
  return at;
}

}  // namespace

// Maps or backs a chunk that is not there yet as far as `end`. Null: refused.
unsigned char* grow(unsigned chunk) {
  if (chunk != 0) return map_chunk(chunk);
  if (!pay_for_first_chunk(mapped_header())) return refuse_by_run();
  return back_first_chunk() ? first_chunk.load(std::memory_order_relaxed)
                            : refuse(trace::Loss::no_space);
}

namespace {

// Whether map_chunk() works here: valgrind refuses mremap(2) with an old size of 0 (EINVAL). A
// kernel that supports it fails for this size with ENOMEM, which costs a twentieth of a real
// mapping.
bool can_extend(unsigned char* first_chunk) {
  constexpr long kTooMuch = (1L << 47) - (1L << 32);  // of a 47-bit address space
  for (const long size : {kTooMuch, long{kPage}}) {
    const long probe = sys::call(SYS_mremap, sys::arg(first_chunk), 0, size, MREMAP_MAYMOVE);
    if (probe == -ENOMEM) return true;
    if (sys::failed(probe)) continue;
    sys::unmap(reinterpret_cast<void*>(probe), static_cast<std::size_t>(size));
    return true;
  }
  return false;
}

// Otherwise a smaller segment is mapped as a whole while its descriptor is open.
void map_at_once(int fd) {
  mapped_at_once = true;
  settle_limit();
  if (limit > kLimitAtOnce) limit = kLimitAtOnce;
  const std::uint64_t whole = limit;
  const std::uint64_t rest = whole - kFirstChunk;
  long mapped = sys::call(SYS_fallocate, fd, 0, 0, static_cast<long>(whole));
  if (mapped == 0 && rest != 0) {
    mapped = sys::call(SYS_mmap, 0, static_cast<long>(rest), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                       static_cast<long>(kFirstChunk));
  }
  if (sys::failed(mapped)) limit = kFirstChunk;
  for (unsigned chunk = 1; chunk_begin(chunk) < limit; ++chunk) {
    auto* base = reinterpret_cast<unsigned char*>(mapped) - kFirstChunk;
    chunk_place(chunk).store(base + chunk_begin(chunk), std::memory_order_release);
  }
}

}  // namespace

// Backs the file and maps its first chunk; on failure null and an error number. The caller closes
// `fd`.
unsigned char* map_first_chunk(int fd, int& error) {
  const long sized = sys::call(SYS_ftruncate, fd, static_cast<long>(limit.load()));
  error = sized == 0 ? ENOMEM : static_cast<int>(-sized);
  if (sized != 0) return nullptr;
  auto* at =
      static_cast<unsigned char*>(sys::map(kFirstChunk, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
  if (at == nullptr) return nullptr;
  // Random access: otherwise the first fault of a sparse file reads 2 MiB ahead, which took 0.9 ms.
  sys::call(SYS_madvise, sys::arg(at), kFirstChunk, MADV_RANDOM);
  error = populate_first(at, kFirstBacked);
  first_backed.store(kFirstBacked, std::memory_order_relaxed);
  if (error == 0) {
    if (!can_extend(at)) map_at_once(fd);
    return at;
  }
  sys::unmap(at, kFirstChunk);
  return nullptr;
}

namespace {

// Unmaps a chunk; false where a thread may use its mapping. The first chunk has the header and is
// the source of later mappings, so it stays.
void release_chunk(unsigned chunk) {
  unsigned char* base = chunk_place(chunk).load(std::memory_order_acquire);
  const auto size = static_cast<std::uint32_t>(chunk_size(chunk));
  if (base == nullptr || !is_written(chunk, base, size)) return;
  released[chunk].store(true, std::memory_order_relaxed);
  chunk_place(chunk).store(nullptr, std::memory_order_seq_cst);
  if (users.load(std::memory_order_seq_cst) != 0) {
    chunk_place(chunk).store(base, std::memory_order_release);  // used by another thread: next time
    return;
  }
  sys::unmap(base, size);
}

// Unmaps chunks that are full: they count against RLIMIT_AS, and mlockall(2) locks them. A chunk
// with an unfinished record is tried a number of times and then kept.
[[gnu::noinline]] void release_before(unsigned chunk) {
  if (mapped_at_once || sys::is_barred(SYS_munmap)) return;
  const sys::WithoutSignals guard;  // a jump out of a handler would leave the lock taken
  if (releasing.exchange(true, std::memory_order_acquire)) return;
  const unsigned first = chunk > kLooks ? chunk - kLooks : 1;
  for (unsigned full = first; full + 2 <= chunk; ++full) release_chunk(full);
  releasing.store(false, std::memory_order_release);
}

}  // namespace

// The thread whose record crosses the middle of a chunk maps the next one, so that threads that
// reach the border together do not each map it and wait for each other in the kernel. Not the
// second chunk: most processes do not need it.
void map_next(unsigned chunk, std::uint64_t offset, std::uint64_t end) {
  const std::uint64_t middle = chunk_begin(chunk) + chunk_size(chunk) / 2;
  if (__builtin_expect(offset >= middle || end < middle, 1) || chunk == 0) return;
  const unsigned next = chunk + 1;
  if (next >= kChunks || chunk_begin(next) + chunk_size(next) > limit) return;
  const bool is_there = chunk_place(next).load(std::memory_order_acquire) != nullptr;
  if (!is_there && !lately_refused()) map_chunk(next);
  release_before(chunk);
}

long sync_chunk(unsigned chunk) {
  const auto size = static_cast<long>(chunk_size(chunk));
  const auto sync = [&](unsigned char* at) {
    return sys::call(SYS_msync, sys::arg(at), size, MS_SYNC);
  };
  const Use use;
  unsigned char* base = chunk_place(chunk).load(std::memory_order_seq_cst);
  if (base != nullptr) return sync(base);
  if (!released[chunk].load(std::memory_order_relaxed)) return 0;
  base = map_from(0, first_chunk.load(std::memory_order_acquire), chunk);
  if (base == nullptr) return -ENOMEM;
  const long error = sync(base);
  sys::unmap(base, static_cast<std::uint64_t>(size));
  return error;
}

}  // namespace umaskaudit::shim
