// A table of walks, each entry a sequence lock; see stack_memo.h.

#include "preload/stack_memo.h"

#include <atomic>

#include "preload/intern.h"

namespace umaskaudit::shim {

namespace {

template <typename T>
using Relaxed = std::atomic<T>;

// `version` is odd while the entry is written. 0: never written.
struct Walk {
  std::atomic<std::uint32_t> version = 0;
  Relaxed<std::uint32_t> id = 0;
  Relaxed<std::uint32_t> generation = 0;
  Relaxed<std::uint32_t> count = 0;
  Relaxed<std::uintptr_t> pc = 0;
  Relaxed<std::uintptr_t> sp = 0;
  Relaxed<std::uintptr_t> fp = 0;
  Relaxed<std::uintptr_t> fp_matters = 0;  // all bits or none
  struct Word {
    Relaxed<std::uintptr_t> distance = 0;
    Relaxed<std::uintptr_t> value = 0;
  };
  Word words[WalkWords::kMost] = {};
};

constexpr unsigned kLogWalks = 6;
constinit Walk walks[1u << kLogWalks] = {};

Walk& walk_from(const StackStart& start) {
  return walks[mix(start.pc, start.sp) >> (64 - kLogWalks)];
}

template <typename T>
T get(const Relaxed<T>& field) {
  return field.load(std::memory_order_relaxed);
}
template <typename T, typename Value>
void set(Relaxed<T>& field, Value value) {
  field.store(static_cast<T>(value), std::memory_order_relaxed);
}

bool starts_alike(const Walk& walk, const StackStart& start, std::uint32_t generation) {
  return get(walk.pc) == start.pc && get(walk.sp) == start.sp &&
         ((get(walk.fp) ^ start.fp) & get(walk.fp_matters)) == 0 &&
         get(walk.generation) == generation;
}

// An entry may change under us, which its version tells afterwards: each distance is checked before
// it is followed.
bool words_are_there(const Walk& walk, std::uintptr_t sp) {
  const std::uintptr_t room = known_stack(sp).end - sp;
  const std::uint32_t count = get(walk.count);
  if (count > WalkWords::kMost || room < sizeof(std::uintptr_t)) return false;
  const std::uintptr_t last = room - sizeof(std::uintptr_t);
  std::uintptr_t difference = 0;
  for (const Walk::Word *word = walk.words, *end = word + count; word != end; ++word) {
    const std::uintptr_t distance = get(word->distance);
    if (distance > last) return false;
    difference |= *reinterpret_cast<const std::uintptr_t*>(sp + distance) ^ get(word->value);
  }
  return difference == 0;
}

}  // namespace

std::uint32_t remembered_stack(const StackStart& start, std::uint32_t generation) {
  const Walk& walk = walk_from(start);
  const std::uint32_t version = walk.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0 || !starts_alike(walk, start, generation) ||
      !words_are_there(walk, start.sp)) {
    return 0;
  }
  const std::uint32_t id = get(walk.id);
  std::atomic_thread_fence(std::memory_order_acquire);
  return walk.version.load(std::memory_order_relaxed) == version ? id : 0;
}

void remember_stack(const StackStart& start, std::uint32_t generation, const WalkWords& words,
                    std::uint32_t id) {
  if (!words.whole) return;
  Walk& walk = walk_from(start);
  std::uint32_t version = walk.version.load(std::memory_order_relaxed);
  // Somebody writes it already: another thread, or whom this handler interrupted.
  if (version % 2 != 0 ||
      !walk.version.compare_exchange_strong(version, version + 1, std::memory_order_acquire)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  set(walk.id, id);
  set(walk.generation, generation);
  set(walk.count, words.count);
  set(walk.pc, start.pc);
  set(walk.sp, start.sp);
  set(walk.fp, start.fp);
  set(walk.fp_matters, words.needs_fp ? UINTPTR_MAX : 0);
  for (unsigned i = 0; i < words.count; ++i) {
    set(walk.words[i].distance, words.distance[i]);
    set(walk.words[i].value, words.value[i]);
  }
  walk.version.store(version + 2, std::memory_order_release);
}

}  // namespace umaskaudit::shim
