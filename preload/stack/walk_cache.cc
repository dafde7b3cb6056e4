// Sets of walks, each walk a sequence lock; see walk_cache.h.

#include "preload/stack/walk_cache.h"

#include <atomic>

#include "preload/record/intern.h"
#include "preload/sys/own_stack.h"

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
  Relaxed<bool> on_own_stack = false;      // unwind.h
  struct Word {
    Relaxed<std::uintptr_t> distance = 0;
    Relaxed<std::uintptr_t> value = 0;
  };
  Word words[WalkWords::kMost] = {};
  Relaxed<std::uint32_t> last_mismatch =
      0;  // the word that another walk from here last differed in
};

// Walks from few places. One function that many call ends in more stacks than a set has room for:
// to compare with them all, and to keep what the next walk replaces, would be lost time.
struct alignas(64) Set {
  static constexpr unsigned kWalks = 8;
  static constexpr std::uint32_t kThrashing = 64;
  static constexpr std::uint32_t kReplaceEvery =
      16;  // a multiple of kWalks: walks[0] is what is kept

  Walk walks[kWalks];
  // One more for each walk that is not known, at most 2 kThrashing, and two less for each that is.
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

// How far from the stack pointer words may be read. The kernel is not asked here.
struct Reach {
  std::uintptr_t certain;   // in the page that is in use
  std::uintptr_t furthest;  // in the thread's own stack, for a walk that was wholly there
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

// In the order of the walk, and no further than the first difference: a word behind it may lie in a
// frame that is not there, on pages that are gone. An entry may change under us, which its version
// tells afterwards: each distance is checked before it is followed.
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

// Which of the set's walks the one that is not known replaces. Null: none.
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
  const StackStart start = from;  // nothing that is stored here can change a copy
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
  // Somebody writes it already: another thread, or whom this handler interrupted.
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
