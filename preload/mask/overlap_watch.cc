// A ring of the latest mask changes, by number; see overlap_watch.h.

#include "preload/mask/overlap_watch.h"

#include <atomic>

namespace umaskaudit::shim {

namespace {

// One umask call. `key` is stored last and cleared first: when a reader finds the same key before
// and after, it has read the facts of one call.
struct Note {
  std::atomic<std::uint64_t> key = 0;
  std::atomic<std::uint64_t> facts = 0;   // see Facts
  std::atomic<std::uint64_t> victim = 0;  // the last: thread << 32 | mode << 16 | expected
  std::atomic<std::uint32_t> hits = 0;    // not reported yet
};

// A creation that lasted longer than this many changes is not checked.
constexpr std::uint64_t kMemory = 64;
constexpr std::uint32_t kNotes = 512;
constinit Note notes[kNotes];

struct Facts {
  bool known = false;
  bool restores = false;  // it undoes the call before it, so it opens no window
  std::uint32_t setter = 0;
  std::uint16_t old_mask = 0;
  std::uint16_t new_mask = 0;
};

// In one word: setter, old mask with the flag above its nine bits, new mask.
constexpr std::uint64_t kRestores = std::uint64_t{1} << 31;
std::uint64_t pack(const Facts& facts) {
  return std::uint64_t{facts.setter} << 32 | (facts.restores ? kRestores : 0) |
         std::uint64_t{facts.old_mask} << 16 | facts.new_mask;
}

std::uint64_t key_of(const Task& task, std::uint64_t change) {
  return std::uint64_t{task.context->id} << 40 | change;
}

Note& note_of(const Task& task, std::uint64_t change) {
  return notes[(task.context->id * kMemory + change) % kNotes];
}

Facts read(const Task& task, std::uint64_t change) {
  const Note& note = note_of(task, change);
  const std::uint64_t key = key_of(task, change);
  if (note.key.load() != key) return {};
  const std::uint64_t facts = note.facts.load();
  if (note.key.load() != key) return {};
  return {true, (facts & kRestores) != 0, static_cast<std::uint32_t>(facts >> 32),
          static_cast<std::uint16_t>(facts >> 16 & 0777), static_cast<std::uint16_t>(facts & 0777)};
}

// Whether the call after `opened` is by the same thread and restores the mask.
bool closes(const Facts& opened, const Facts& next) {
  return opened.known && !opened.restores && next.known && opened.setter == next.setter &&
         next.new_mask == opened.old_mask && opened.new_mask != opened.old_mask;
}

// Takes the hits for reporting: by the closing thread, or by a creation that returned after it.
WindowHits take_hits(Note& note, const Facts& window) {
  WindowHits result;
  result.count = note.hits.exchange(0);
  const std::uint64_t victim = note.victim.load();
  result.setter = window.setter;
  result.inside = window.new_mask;
  result.outside = window.old_mask;
  result.victim = static_cast<std::uint32_t>(victim >> 32);
  result.mode = static_cast<std::uint16_t>(victim >> 16);
  result.expected = static_cast<std::uint16_t>(victim);
  return result;
}

}  // namespace

WindowHits note_mask_change(const Task& task, const MaskChange& change, std::uint16_t new_mask) {
  if (task.context == nullptr) return {};
  Note& note = note_of(task, change.change);
  const Facts opened = read(task, change.change - 1);
  Facts facts{true, false, task.tid, change.old_mask, new_mask};
  facts.restores = closes(opened, facts);
  note.key.store(0);
  note.facts.store(pack(facts));
  note.hits.store(0);
  note.key.store(key_of(task, change.change));
  return facts.restores ? take_hits(note_of(task, change.change - 1), opened) : WindowHits{};
}

WindowHits note_creation(const Task& task, const Snapshot& before, const Snapshot& after,
                         std::uint32_t requested, std::uint32_t final_mode) {
  if (task.context == nullptr || after.change - before.change > kMemory) return {};
  const std::uint32_t asked = requested & 0777;
  const std::uint32_t mode = final_mode & 0777;
  for (std::uint64_t change = before.change; change <= after.change; ++change) {
    const Facts window = read(task, change);
    const std::uint32_t expected = asked & ~std::uint32_t{window.old_mask};
    if (!window.known || window.restores || window.setter == task.tid || expected == mode ||
        (asked & ~std::uint32_t{window.new_mask}) != mode) {
      continue;
    }
    Note& note = note_of(task, change);
    note.victim.store(std::uint64_t{task.tid} << 32 | std::uint64_t{mode} << 16 | expected);
    note.hits.fetch_add(1);
    // Checked here and by the closing call: at least one of the two sees the other's store.
    const Facts next = read(task, change + 1);
    return closes(window, next) ? take_hits(note, window) : WindowHits{};
  }
  return {};
}

}  // namespace umaskaudit::shim
