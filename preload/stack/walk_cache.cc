// Sets of walks, each walk a sequence lock; see walk_cache.h.

#include "preload/stack/walk_cache.h"

#include <atomic>

#include "preload/record/intern.h"
#include "preload/sys/own_stack.h"

namespace umaskaudit::shim {

namespace {

template <typename T>
using Relaxed = std::atomic<T>;

// One cached walk. `version` is odd while the entry is written. 0: never written.
struct Walk {
  std::atomic<std::uint32_t> version = 0;
  Relaxed<std::uint32_t> id = 0;
  Relaxed<std::uint32_t> generation = 0;
  Relaxed<std::uint32_t> count = 0;
  Relaxed<std::uintptr_t> pc = 0;
  Relaxed<std::uintptr_t> sp = 0;
  Relaxed<std::uintptr_t> fp = 0;
  Relaxed<std::uintptr_t> fp_matters = 0;  // all bits or none
  Relaxed<bool> on_own_stack = false;      // unwind.h
  struct Word {
    Relaxed<std::uintptr_t> distance = 0;
    Relaxed<std::uintptr_t> value = 0;
  };
  Word words[WalkWords::kMost] = {};
  Relaxed<std::uint32_t> last_mismatch =
      0;  // the word that another walk from here last differed in
};

// The entries for walks that start at a few call sites. One function with many callers has more
// stacks than a set has entries: comparing with all of them, and replacing entries that are needed
// next, would only cost time.
struct alignas(64) Set {
  static constexpr unsigned kWalks = 8;
  static constexpr std::uint32_t kThrashing = 64;
  static constexpr std::uint32_t kReplaceEvery =
      16;  // a multiple of kWalks: walks[0] is what is kept

  Walk walks[kWalks];
  // The miss balance: plus one for each miss, at most 2 kThrashing, minus two for each hit.
  Relaxed<std::uint32_t> misses = 0;
  Relaxed<std::uint32_t> turn = 0;

  bool thrashing() const { return misses.load(std::memory_order_relaxed) >= kThrashing; }
};

constexpr unsigned kLogSets = 6;
constinit Set sets[1u << kLogSets] = {};  // untouched pages cost nothing

Set& set_from(const StackStart& start) { return sets[mix(start.pc, start.sp) >> (64 - kLogSets)]; }

template <typename T>
T get(const Relaxed<T>& field) {
  return field.load(std::memory_order_relaxed);
}
template <typename T, typename Value>
void set_to(Relaxed<T>& field, Value value) {
  field.store(static_cast<T>(value), std::memory_order_relaxed);
}

bool starts_alike(const Walk& walk, const StackStart& start, std::uint32_t generation) {
  return get(walk.pc) == start.pc && get(walk.sp) == start.sp &&
         ((get(walk.fp) ^ start.fp) & get(walk.fp_matters)) == 0 &&
         get(walk.generation) == generation;
}

// How far above the stack pointer words may be read without asking the kernel.
struct Reach {
  std::uintptr_t certain;   // within the page of the stack pointer
  std::uintptr_t furthest;  // within the thread's own stack, for a walk that never left it
};

Reach reach_from(std::uintptr_t sp) {
  constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);
  if (sp % kWord != 0) return {0, 0};
  const std::uintptr_t certain = page_of(sp).end - kWord - sp;
  const StackRange own = own_stack();
  return {certain, own.holds(sp) && own.end - sp > certain ? own.end - kWord - sp : certain};
}

bool differs(const Walk::Word& word, std::uintptr_t sp, std::uintptr_t furthest) {
  const std::uintptr_t distance = get(word.distance);
  if (__builtin_expect(distance > furthest, 0)) return true;
  return *reinterpret_cast<const std::uintptr_t*>(sp + distance) != get(word.value);
}

// Compares in the order of the walk and stops at the first difference: words after it may be in a
// frame that does not exist, on unmapped pages. The entry may change while it is read, which its
// version reveals afterwards; so each distance is checked before it is used.
bool words_are_there(Walk& walk, std::uintptr_t sp, const Reach& reach) {
  const std::uint32_t count = get(walk.count);
  if (count > WalkWords::kMost) return false;
  const std::uintptr_t furthest = get(walk.on_own_stack) ? reach.furthest : reach.certain;
  const std::uint32_t last_mismatch = get(walk.last_mismatch);
  if (last_mismatch < count && get(walk.words[last_mismatch].distance) <= reach.certain &&
      differs(walk.words[last_mismatch], sp, reach.certain)) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (__builtin_expect(differs(walk.words[i], sp, furthest), 0)) {
      set_to(walk.last_mismatch, i);
      return false;
    }
  }
  return true;
}

std::uint32_t id_if_same(Walk& walk, const StackStart& start, const Reach& reach,
                         std::uint32_t generation) {
  const std::uint32_t version = walk.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0 || !starts_alike(walk, start, generation) ||
      !words_are_there(walk, start.sp, reach)) {
    return 0;
  }
  const std::uint32_t id = get(walk.id);
  std::atomic_thread_fence(std::memory_order_acquire);
  return walk.version.load(std::memory_order_relaxed) == version ? id : 0;
}

// The entry that a missed walk replaces. Null: none.
Walk* make_room(Set& set) {
  const std::uint32_t misses = get(set.misses);
  const std::uint32_t turn = get(set.turn);
  set_to(set.turn, turn + 1);
  if (misses < 2 * Set::kThrashing) set_to(set.misses, misses + 1);
  if (misses >= Set::kThrashing && turn % Set::kReplaceEvery != 0) return nullptr;
  return &set.walks[turn % Set::kWalks];
}

}  // namespace

std::uint32_t cached_stack(const StackStart& from, std::uint32_t generation) {
  const StackStart start = from;  // a copy, which the stores below cannot change
  const Reach reach = reach_from(start.sp);
  Set& set = set_from(start);
  const unsigned walks = set.thrashing() ? 1 : Set::kWalks;
  for (unsigned i = 0; i < walks; ++i) {
    const std::uint32_t id = id_if_same(set.walks[i], start, reach, generation);
    if (id == 0) continue;
    const std::uint32_t misses = get(set.misses);
    if (misses != 0) set_to(set.misses, misses > 2 ? misses - 2 : 0);
    return id;
  }
  return 0;
}

void cache_stack(const StackStart& start, std::uint32_t generation, const WalkWords& words,
                 std::uint32_t id, RuleSpace& space) {
  if (!words.whole) return;
  Walk* const room = make_room(set_from(start));
  if (room == nullptr) return;
  Walk& walk = *room;
  const bool on_own_stack = is_on_own_stack(start, space);
  std::uint32_t version = walk.version.load(std::memory_order_relaxed);
  // Another thread writes this entry, or this handler interrupted its writer.
  if (version % 2 != 0 ||
      !walk.version.compare_exchange_strong(version, version + 1, std::memory_order_acquire)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  set_to(walk.id, id);
  set_to(walk.generation, generation);
  set_to(walk.count, words.count);
  set_to(walk.pc, start.pc);
  set_to(walk.sp, start.sp);
  set_to(walk.fp, start.fp);
  set_to(walk.fp_matters, words.needs_fp ? UINTPTR_MAX : 0);
  set_to(walk.on_own_stack, on_own_stack);
  for (unsigned i = 0; i < words.count; ++i) {
    set_to(walk.words[i].distance, words.distance[i]);
    set_to(walk.words[i].value, words.value[i]);
  }
  walk.version.store(version + 2, std::memory_order_release);
}

}  // namespace umaskaudit::shim
