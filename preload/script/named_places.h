// Places that a runtime tells by texts: a file, a function and a line. Runtimes of which a key is a
// hash of what the texts say list their places by an object with `bool next(NamedPlace&)`, from the
// innermost outwards, and `bool is_malformed()`; both end the list by false.
// Must never take a text's address for what it says. Called by the runtimes of this room.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/script/peek_text.h"
#include "preload/script/runtime.h"

namespace umaskaudit::shim {

// Where a script's text comes from.
enum class ScriptSource : std::uint32_t {
  file,
  command,  // of a shell's option -c; the file that is named is the shell's own
  input,    // standard input, likewise
};

// Addresses of texts that end with a NUL. 0: not known.
struct NamedPlace {
  std::uintptr_t file = 0;
  std::uintptr_t scope = 0;  // class or package of the function
  std::uintptr_t function = 0;
  std::uint32_t line = 0;
  ScriptSource source = ScriptSource::file;
};

// How a runtime is read whose structures nothing has proven yet: until they have once been what
// they should be, as copies. The runtime's thread is the only one that reads them, or nearly so.
class FirstLook {
 public:
  Peek::Way way_at(Moment moment) const {
    const bool whole = moment == Moment::in_call && held_.load(std::memory_order_relaxed);
    return whole ? Peek::Way::direct : Peek::Way::copies;
  }
  void has_held() {
    if (!held_.load(std::memory_order_relaxed)) held_.store(true, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> held_ = false;
};

// 0: its texts cannot be read.
inline std::uint64_t key_of(Peek& memory, const NamedPlace& place, std::uint64_t seed) {
  std::uint64_t key = mix(seed, static_cast<std::uint64_t>(place.source) << 32 | place.line);
  for (const std::uintptr_t text : {place.file, place.scope, place.function}) {
    key = mix(key, 0);  // so that what moves from one text into the next is another place
    if (text != 0 && !mix_text(memory, text, key)) return 0;
  }
  return key | 1;
}

// `seed`: another one for each runtime.
template <typename Callers>
Captured list_places(Callers& callers, Peek& memory, std::uint64_t seed, FirstLook& look,
                     ScriptSpace& space) {
  bool whole = true;
  NamedPlace place;
  while (whole && callers.next(place)) {
    space.truncated = space.count == kMostPlaces;
    if (space.truncated) break;
    ScriptPlace& out = space.places[space.count];
    out = {};
    out.at = space.count;
    out.key = key_of(memory, place, seed);
    whole = out.key != 0;
    ++space.count;
  }
  if (!whole || callers.is_malformed()) {
    space.count = 0;
    return memory.is_barred() ? Captured::barred : Captured::refused;
  }
  if (space.count == 0) return Captured::frames;
  look.has_held();
  space.places[space.count - 1].entry = !space.truncated;
  return Captured::frames;
}

// The place of list_places() that has this number.
template <typename Callers>
bool find_place(Callers& callers, const ScriptPlace& wanted, NamedPlace& place) {
  for (std::uint32_t i = 0; i <= wanted.at; ++i) {
    if (!callers.next(place)) return false;
  }
  return true;
}

// File ("bash -c", "sh <stdin>" where it is none), "scope::function" and line.
bool copy_place(Peek& memory, const NamedPlace& place, PlaceText& text);

// What capture() and decode() of such a runtime do; `Callers` walks its structures.
template <typename Callers, typename Structures>
Captured capture_named(const Structures& structures, Moment moment, std::uint64_t seed,
                       FirstLook& look, ScriptSpace& space) {
  Peek memory(look.way_at(moment), space.window);
  Callers callers(structures, memory);
  return list_places(callers, memory, seed, look, space);
}
template <typename Callers, typename Structures>
bool decode_named(const Structures& structures, Moment moment, const FirstLook& look,
                  const ScriptPlace& place, PlaceText& text, Window& window) {
  Peek memory(look.way_at(moment), window);
  Callers callers(structures, memory);
  NamedPlace found;
  return find_place(callers, place, found) && copy_place(memory, found, text);
}

}  // namespace umaskaudit::shim
