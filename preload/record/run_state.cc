// Maps the page of a run, and accounts for the space of its segments; see run_state.h.

#include "preload/record/run_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstring>

#include "preload/record/backing.h"
#include "preload/record/trace_files.h"
#include "preload/state.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

using trace::kChunk;
using trace::kFirstChunk;

trace::RunState* page;  // null: no accounting

}  // namespace

trace::RunState* map_run_state(int directory, unsigned long filesystem, std::uint64_t largest) {
  constexpr int kNew = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  constexpr int kThere = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fd = sys::open(trace::kRunStateName, kThere, 0, directory);
  if (fd == -ENOENT) {
    fd = sys::open(trace::kRunStateName, kNew, 0600, directory);
    if (fd >= 0) sys::call(SYS_fchmod, fd, 0600);
    if (fd == -EEXIST) fd = sys::open(trace::kRunStateName, kThere, 0, directory);
  }
  if (fd < 0) return nullptr;
  void* at = nullptr;
  struct stat facts {};
  if (is_own_file(fd, facts)) {
    write_in_place(fd, filesystem);
    const bool is_long = facts.st_size >= static_cast<off_t>(kPage);
    if (is_long || (largest >= kPage && sys::call(SYS_ftruncate, fd, kPage) == 0)) {
      at = sys::map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    }
  }
  sys::close(fd);
  if (at != nullptr && !back_page(at)) {
    sys::unmap(at, kPage);
    at = nullptr;
  }
  auto* state = static_cast<trace::RunState*>(at);
  if (state != nullptr && !is_backed(state, sizeof *state)) {
    sys::unmap(at, kPage);
    state = nullptr;
  }
  if (state != nullptr) {
    // Every process writes the same bytes, so no order is needed.
    memcpy(state->magic, trace::kMagic, sizeof state->magic);
    state->major = trace::kMajor;
    state->minor = trace::kMinor;
    state->byte_order = trace::kByteOrder;
  }
  return state;
}

void keep_run_state(trace::RunState* state) {
  if (process.options.max_run != 0) page = state;
}

namespace {

enum class Need : unsigned char { beginning, growth };
bool take_from_run(trace::RunState& state, std::uint64_t bytes, Need need) {
  const std::uint64_t bound = process.options.max_run;
  if (bound == 0) return true;
  __atomic_store_n(&state.max_run, bound, __ATOMIC_RELAXED);
  const std::uint64_t allowed = need == Need::growth ? bound / 4 * 3 : bound;
  if (__atomic_add_fetch(&state.taken, bytes, __ATOMIC_RELAXED) <= allowed) return true;
  __atomic_fetch_sub(&state.taken, bytes, __ATOMIC_RELAXED);
  return false;
}

}  // namespace

bool begin_in_run(trace::RunState* state) {
  return state == nullptr || take_from_run(*state, kFirstBacked, Need::beginning);
}

bool pay_for_first_chunk(trace::SegmentHeader& header) {
  if (page == nullptr || !is_backed(page, sizeof *page)) return true;
  std::uint8_t* const paid = &header.first_paid;
  if (__atomic_load_n(paid, __ATOMIC_RELAXED) != 0) return true;
  constexpr std::uint64_t kRest = kFirstChunk - kFirstBacked;
  if (!take_from_run(*page, kRest, Need::beginning)) return false;
  if (__atomic_exchange_n(paid, 1, __ATOMIC_RELAXED) != 0) give_back_to_run(*page, kRest);
  return true;
}

bool pay_for_chunk(trace::SegmentHeader& header, unsigned chunk) {
  if (page == nullptr || !is_backed(page, sizeof *page)) return true;
  std::uint16_t* const paid = &header.chunks_paid;  // number of charged chunks after the first
  for (;;) {
    std::uint16_t known = __atomic_load_n(paid, __ATOMIC_RELAXED);
    if (known >= chunk) return true;
    if (!take_from_run(*page, kChunk, Need::growth)) return false;
    const auto more = static_cast<std::uint16_t>(known + 1);
    if (!__atomic_compare_exchange_n(paid, &known, more, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
      give_back_to_run(*page, kChunk);
    }
  }
}

std::uint64_t paid_for(const trace::SegmentHeader& header) {
  const std::uint64_t first = header.first_paid != 0 ? kFirstChunk : kFirstBacked;
  return first + header.chunks_paid * kChunk;
}

void give_back_to_run(trace::RunState& state, std::uint64_t bytes) {
  std::uint64_t taken = __atomic_load_n(&state.taken, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&state.taken, &taken, taken > bytes ? taken - bytes : 0, true,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

}  // namespace umaskaudit::shim
