// Places that a runtime tells by texts: a file, a function and a line. Runtimes of which a key is a
// hash of what the texts say list their places by an object with `bool next(NamedPlace&)`, from the
// innermost outwards, and `bool is_malformed()`; both end the list by false.
// Must never take a text's address for what it says. Called by the runtimes of this room.
#pragma once

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

// 0: its texts cannot be read. `seed`: another one for each runtime.
inline std::uint64_t key_of(Peek& memory, const NamedPlace& place, std::uint64_t seed) {
  std::uint64_t key = mix(seed, static_cast<std::uint64_t>(place.source) << 32 | place.line);
  for (const std::uintptr_t text : {place.file, place.scope, place.function}) {
    key = mix(key, 0);  // so that what moves from one text into the next is another place
    if (text != 0 && !mix_text(memory, text, key)) return 0;
  }
  return key | 1;
}

// Lists what `callers` walks; `key` gives the key of a Place, or 0.
template <typename Place, typename Callers, typename KeyOf>
Captured list_places(Callers& callers, Peek& memory, KeyOf key, ScriptSpace& space) {
  bool whole = true;
  Place place;
  while (whole && callers.next(place)) {
    space.truncated = space.count == kMostPlaces;
    if (space.truncated) break;
    ScriptPlace& out = space.places[space.count];
    out = {};
    out.at = space.count;
    out.key = key(place);
    whole = out.key != 0;
    ++space.count;
  }
  if (!whole || callers.is_malformed()) {
    space.count = 0;
    return memory.is_barred() ? Captured::barred : Captured::refused;
  }
  if (space.count != 0) space.places[space.count - 1].entry = !space.truncated;
  return Captured::frames;
}

// The place of list_places() that has this number.
template <typename Callers, typename Place>
bool find_place(Callers& callers, const ScriptPlace& wanted, Place& place) {
  for (std::uint32_t i = 0; i <= wanted.at; ++i) {
    if (!callers.next(place)) return false;
  }
  return true;
}

// File ("bash -c", "sh <stdin>" where it is none), "scope::function" and line.
bool copy_place(Peek& memory, const NamedPlace& place, PlaceText& text);

// What capture() and decode() of such a runtime do; `Callers` walks its structures.
template <typename Callers>
Captured capture_named(Callers& callers, Peek& memory, std::uint64_t seed, ScriptSpace& space) {
  const auto key = [&](const NamedPlace& place) { return key_of(memory, place, seed); };
  return list_places<NamedPlace>(callers, memory, key, space);
}
template <typename Callers, typename Structures>
Captured capture_named(const Structures& structures, Moment moment, std::uint64_t seed,
                       ScriptSpace& space) {
  Peek memory(way_at(moment), space.window);
  Callers callers(structures, memory);
  return capture_named(callers, memory, seed, space);
}
template <typename Callers, typename Structures>
bool decode_named(const Structures& structures, Moment moment, const ScriptPlace& place,
                  PlaceText& text, Window& window) {
  Peek memory(way_at(moment), window);
  Callers callers(structures, memory);
  NamedPlace found;
  return find_place(callers, place, found) && copy_place(memory, found, text);
}

}  // namespace umaskaudit::shim
