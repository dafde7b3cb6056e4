// Two pools in static storage, taken and given back by atomics; see scratch.h.

#include "preload/sys/scratch.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <sys/mman.h>

#include <atomic>

#include "preload/state.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// The owner of a slot in a pool: an object on a stack, whose first word is the slot's address. That
// word is stored before `owner`, so an owner whose word differs is gone.
struct Claim {
  std::atomic<std::uintptr_t> owner = 0;  // 0: none
  std::atomic<std::uint32_t> task = 0;    // of the owner; 0: not known yet
};
constexpr std::uint32_t kChangesHands = UINT32_MAX;  // as `task`: another owner may take the slot

struct Pool {
  Claim* claims;
  unsigned count;
  void* first;  // the slots are contiguous
  std::size_t stride;
  char* place(unsigned index) const { return static_cast<char*>(first) + index * stride; }
  std::size_t index(const char* place) const {
    return static_cast<std::size_t>(place - static_cast<char*>(first)) / stride;
  }
};

constexpr unsigned kBuffers = 32;
alignas(16) char buffer_bytes[kBuffers][Scratch::kSize];  // untouched pages cost nothing
constinit Claim buffer_claims[kBuffers];
constexpr Pool kScratch{buffer_claims, kBuffers, buffer_bytes, Scratch::kSize};

template <typename T>
std::uintptr_t address_of(const T* object) {
  return reinterpret_cast<std::uintptr_t>(object);
}

std::uint32_t own_task() {
  const bool sure = thread_state.tid != 0 && !thread_state.tls_shared &&
                    !process.unknown_tasks.load(std::memory_order_relaxed);
  return sure ? thread_state.tid : static_cast<std::uint32_t>(sys::gettid());
}

// Whether a task is gone: ended, or executed another program (a vfork child). kcmp(2) tells, which
// containers often bar. A task whose state cannot be queried counts as alive.
bool is_gone(std::uint32_t task, std::uint32_t own) {
  return sys::call(SYS_kill, task, 0) == -ESRCH || sys::call(SYS_kcmp, own, task, KCMP_VM) > 0;
}

// True when `owner` lies below the frame at `me`, the innermost that is active: its own frame has
// returned or was jumped out of. A handler on an alternate stack (sigaltstack(2)), which may lie
// within the thread's own, proves nothing about the frames that it interrupted.
bool was_unwound(std::uintptr_t owner, std::uintptr_t me) {
  if (owner >= me) return false;
  stack_t alternate{};
  if (sys::call(SYS_sigaltstack, 0, sys::arg(&alternate)) != 0) return false;
  const std::uintptr_t begin = address_of(alternate.ss_sp);
  const bool me_inside = me - begin < alternate.ss_size;
  if (me_inside != (owner - begin < alternate.ss_size)) return false;
  const StackRange own = own_stack();
  return me_inside || (own.holds(me) && own.holds(owner));
}

bool is_abandoned(const Pool& among, unsigned index, std::uint32_t task, std::uintptr_t innermost,
                  std::uint32_t own) {
  const std::uintptr_t owner = among.claims[index].owner.load(std::memory_order_relaxed);
  if (owner == 0) return false;
  char* word = nullptr;
  const long copied = sys::copy_memory(&word, reinterpret_cast<const void*>(owner), sizeof word);
  if (copied == -EFAULT || (copied == sizeof word && word != among.place(index))) return true;
  if (task == 0) return false;
  return is_gone(task, own) || (task == own && was_unwound(owner, innermost));
}

// Takes over a slot whose owner is gone. A function of its own, because that is rare.
[[gnu::noinline]] unsigned take_over(const Pool& among, char*& word, std::uint32_t own) {
  const std::uintptr_t me = address_of(&word);
  const auto innermost = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  // If a handler jumps out here, the slot has an owner that is gone, and can be taken over.
  const sys::SignalSet signals = sys::block_signals();
  unsigned found = among.count;
  for (unsigned i = 0; i < among.count && found == among.count; ++i) {
    Claim& claim = among.claims[i];
    std::uint32_t left_by = claim.task.load(std::memory_order_acquire);
    const std::uintptr_t owner = claim.owner.load(std::memory_order_relaxed);
    if (left_by == kChangesHands || !is_abandoned(among, i, left_by, innermost, own)) continue;
    if (!claim.task.compare_exchange_strong(left_by, kChangesHands)) continue;
    if (claim.owner.load(std::memory_order_relaxed) == owner) {
      word = among.place(i);
      claim.owner.store(me, std::memory_order_relaxed);
      left_by = own;
      found = i;
    }
    claim.task.store(left_by, std::memory_order_release);
  }
  sys::restore_signals(signals);
  return found;
}

// Takes a slot for the object whose first word is `word`, and stores the slot's address there;
// null: none is left. Returns its index, or the pool's size.
unsigned take_from(const Pool& among, char*& word) {
  const std::uintptr_t me = address_of(&word);
  const std::uint32_t own = own_task();
  for (unsigned i = 0; i < among.count; ++i) {
    // Left behind at this address: two live objects cannot have the same one.
    Claim& claim = among.claims[i];
    if (claim.owner.load(std::memory_order_relaxed) != me) continue;
    std::uint32_t left_by = claim.task.load(std::memory_order_acquire);
    word = among.place(i);
    if (left_by != kChangesHands && claim.task.compare_exchange_strong(left_by, own)) return i;
  }
  for (unsigned step = 0; step < among.count; ++step) {
    const unsigned i = (own + step) % among.count;
    Claim& claim = among.claims[i];
    std::uintptr_t dead_owner = claim.owner.load(std::memory_order_relaxed);
    if (dead_owner != 0) continue;
    word = among.place(i);
    if (claim.owner.compare_exchange_strong(dead_owner, me, std::memory_order_acq_rel)) {
      claim.task.store(own, std::memory_order_release);
      return i;
    }
  }
  word = nullptr;
  return take_over(among, word, own);
}

// False when it has another owner: the child of a fork in a signal handler returns into a frame
// whose buffer was released.
bool holds(const Claim& claim, std::uintptr_t me) {
  return claim.owner.load(std::memory_order_relaxed) == me;
}

void leave(Claim& claim) {
  claim.task.store(0, std::memory_order_relaxed);
  claim.owner.store(0, std::memory_order_release);
}

struct Mapped {
  char* at = nullptr;
  std::size_t size = 0;
};

// A handler may jump out at any point, so what is recorded as mapped must still be mapped.
void unmap(Mapped& room) {
  const Mapped old = room;
  room.at = nullptr;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (old.at != nullptr) sys::unmap(old.at, old.size);
}

void map(Mapped& room, std::size_t size) {
  unmap(room);
  room.size = size;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  room.at =
      static_cast<char*>(sys::map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

constexpr unsigned kRooms = 8;
constinit Claim room_claims[kRooms];
constinit Mapped rooms[kRooms];
constexpr Pool kRoom{room_claims, kRooms, rooms, sizeof(Mapped)};

}  // namespace

void Scratch::take() const { take_from(kScratch, at_); }

void Scratch::give_back() const {
  Claim& claim = buffer_claims[kScratch.index(at_)];
  if (holds(claim, address_of(&at_))) leave(claim);
}

void release_all_scratch() {
  for (Claim& claim : buffer_claims) leave(claim);
}

Room::Room(std::size_t size) : place_(nullptr), at_(nullptr) {
  if (size == 0) return;
  const unsigned index = take_from(kRoom, place_);
  if (index == kRooms) return;
  // The mapping of the previous owner is still there.
  Mapped& room = rooms[index];
  if (room.at == nullptr || room.size < size) map(room, size);
  at_ = room.at;
  if (at_ == nullptr) leave(room_claims[index]);
}

Room::~Room() {
  if (at_ == nullptr) return;
  const std::size_t index = kRoom.index(place_);
  if (!holds(room_claims[index], address_of(&place_))) return;
  unmap(rooms[index]);
  leave(room_claims[index]);
}

}  // namespace umaskaudit::shim
