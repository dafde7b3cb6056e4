// For runtimes whose places are strings: a file, a function and a line. Their key is a hash of
// those strings. Such a runtime lists its places by a class with `bool next(NamedPlace&)`, from the
// innermost outwards, and `bool is_malformed()`; false from next() ends the list.
// Must never use a string's address in place of its content.
#pragma once

#include <cstdint>

#include "preload/script/peek_text.h"
#include "preload/script/runtime.h"

namespace umaskaudit::shim {

// Where the text of a script comes from.
enum class ScriptSource : std::uint32_t {
  file,
  command,  // a shell's option -c; the file named is the shell
  input,    // standard input; likewise
};

// Addresses of NUL-terminated strings. 0: not known.
struct NamedPlace {
  std::uintptr_t file = 0;
  std::uintptr_t scope = 0;  // class or package of the function
  std::uintptr_t function = 0;
  std::uint32_t line = 0;
  ScriptSource source = ScriptSource::file;
};

// 0: a string cannot be read. `seed`: different for each runtime.
inline std::uint64_t key_of(Peek& memory, const NamedPlace& place, std::uint64_t seed) {
  std::uint64_t key = mix(seed, static_cast<std::uint64_t>(place.source) << 32 | place.line);
  for (const std::uintptr_t text : {place.file, place.scope, place.function}) {
    // separates two strings, so that moving a character between them changes the key
    key = mix(key, 0);
    if (text != 0 && !mix_text(memory, text, key)) return 0;
  }
  return key | 1;
}

// Lists the places that `callers` yields; `key` computes the key of a place, or 0.
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

// The place of list_places() with this index.
template <typename Callers, typename Place>
bool find_place(Callers& callers, const ScriptPlace& wanted, Place& place) {
  for (std::uint32_t i = 0; i <= wanted.at; ++i) {
    if (!callers.next(place)) return false;
  }
  return true;
}

// File ("bash -c", "sh <stdin>" where there is none), "scope::function" and line.
bool copy_place(Peek& memory, const NamedPlace& place, PlaceText& text);

// capture() and decode() for such a runtime; `Callers` walks its structures.
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
