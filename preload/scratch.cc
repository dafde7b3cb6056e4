// Two pools in static storage, taken and given back by atomics; see scratch.h.

#include "preload/scratch.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <sys/mman.h>

#include <atomic>

#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr unsigned kBuffers = 32;
char pool[kBuffers][Scratch::kSize];  // untouched pages cost nothing
constinit std::atomic<std::uint32_t> taken = 0;
constinit std::atomic<std::uintptr_t> holders[kBuffers] = {};

struct Lodging {
  std::atomic<std::uintptr_t> holder = 0;
  std::atomic<std::uint32_t> taker = 0;  // the task that holds it; 0: none, or not yet
  char* at = nullptr;
  std::size_t size = 0;
};
constexpr unsigned kRooms = 8;
constinit Lodging rooms[kRooms];

template <typename T>
std::uintptr_t address_of(const T* object) {
  return reinterpret_cast<std::uintptr_t>(object);
}

char* left_behind_at(std::uintptr_t me, std::uint32_t among) {
  for (; among != 0; among &= among - 1) {
    const auto index = static_cast<unsigned>(__builtin_ctz(among));
    if (holders[index].load(std::memory_order_relaxed) == me) return pool[index];
  }
  return nullptr;
}

constexpr std::uint32_t kChangesHands = UINT32_MAX;  // a taker: nobody else may have it

// A thread that ended, a vfork child that ended, or became another program: kcmp(2), which
// containers often bar. Whoever cannot be asked about is there.
bool is_gone(std::uint32_t task, std::uint32_t own) {
  return sys::call(SYS_kill, task, 0) == -ESRCH || sys::call(SYS_kcmp, own, task, KCMP_VM) > 0;
}

Lodging* find_room(std::uintptr_t me) {
  const auto own = static_cast<std::uint32_t>(sys::gettid());
  for (Lodging& room : rooms) {
    std::uint32_t left_by = room.taker.load(std::memory_order_acquire);
    if (left_by == kChangesHands || room.holder.load(std::memory_order_relaxed) != me) continue;
    if (room.taker.compare_exchange_strong(left_by, own)) return &room;
  }
  for (Lodging& room : rooms) {
    std::uintptr_t nobody = 0;
    if (!room.holder.compare_exchange_strong(nobody, me, std::memory_order_acquire)) continue;
    room.taker.store(own, std::memory_order_release);
    return &room;
  }
  // A shell's vfork children leave one for each depth of its stack that they came from.
  for (Lodging& room : rooms) {
    std::uint32_t left_by = room.taker.load(std::memory_order_acquire);
    if (left_by == 0 || left_by == kChangesHands || !is_gone(left_by, own)) continue;
    if (!room.taker.compare_exchange_strong(left_by, kChangesHands)) continue;
    room.holder.store(me, std::memory_order_relaxed);
    room.taker.store(own, std::memory_order_release);
    return &room;
  }
  return nullptr;
}

void leave(Lodging& room) {
  room.taker.store(0, std::memory_order_relaxed);
  room.holder.store(0, std::memory_order_release);
}

}  // namespace

void Scratch::take() const {
  std::uint32_t now = taken.load(std::memory_order_relaxed);
  at_ = left_behind_at(address_of(this), now);
  while (at_ == nullptr && now != UINT32_MAX) {
    const auto free = static_cast<unsigned>(__builtin_ctz(~now));
    if (taken.compare_exchange_weak(now, now | 1u << free, std::memory_order_acquire)) {
      at_ = pool[free];
      holders[free].store(address_of(this), std::memory_order_relaxed);
    }
  }
}

void Scratch::give_back() const {
  const auto index = static_cast<unsigned>((at_ - pool[0]) / static_cast<std::ptrdiff_t>(kSize));
  // After a fork in a signal handler the interrupted frame's buffer is no longer its own.
  if (holders[index].load(std::memory_order_relaxed) != address_of(this)) return;
  holders[index].store(0, std::memory_order_relaxed);
  taken.fetch_and(~(1u << index), std::memory_order_release);
}

void release_all_scratch() {
  for (auto& holder : holders) holder.store(0, std::memory_order_relaxed);
  taken.store(0, std::memory_order_relaxed);
}

Room::Room(std::size_t size) : at_(nullptr), index_(0) {
  if (size == 0) return;
  Lodging* room = find_room(address_of(this));
  if (room == nullptr) return;
  if (room->size < size) {
    if (room->at != nullptr) sys::unmap(room->at, room->size);
    room->at =
        static_cast<char*>(sys::map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
    room->size = room->at != nullptr ? size : 0;
  }
  if (room->at == nullptr) {
    leave(*room);
    return;
  }
  at_ = room->at;
  index_ = static_cast<unsigned>(room - rooms);
}

Room::~Room() {
  if (at_ == nullptr) return;
  Lodging& room = rooms[index_];
  sys::unmap(room.at, room.size);
  room.at = nullptr;
  room.size = 0;
  leave(room);
}

}  // namespace umaskaudit::shim
