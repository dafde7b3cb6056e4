// Hashes and formats a place's strings; see named_places.h.

#include "preload/script/named_places.h"

#include <cstring>

namespace umaskaudit::shim {

namespace {

const char* suffix_of(ScriptSource source) {
  switch (source) {
    case ScriptSource::file:
      break;
    case ScriptSource::command:
      return " -c";
    case ScriptSource::input:
      return " <stdin>";
  }
  return "";
}

// Appends to the function's name.
bool append(Peek& memory, std::uintptr_t at, PlaceText& text) {
  std::uint32_t length = 0;
  const auto room = static_cast<std::uint32_t>(sizeof text.function) - text.function_length;
  if (!copy_text(memory, at, text.function + text.function_length, room, length)) return false;
  text.function_length += length;
  return true;
}

}  // namespace

bool copy_place(Peek& memory, const NamedPlace& place, PlaceText& text) {
  text.line = place.line;
  text.file_length = text.function_length = 0;
  const char* const suffix = suffix_of(place.source);
  const auto room = static_cast<std::uint32_t>(sizeof text.file - std::strlen(suffix));
  if (place.file != 0 && !copy_text(memory, place.file, text.file, room, text.file_length)) {
    return false;
  }
  for (const char* c = suffix; *c != '\0'; ++c) text.file[text.file_length++] = *c;
  if (place.scope != 0) {
    if (!append(memory, place.scope, text)) return false;
    for (unsigned i = 0; i < 2 && text.function_length < sizeof text.function; ++i) {
      text.function[text.function_length++] = ':';
    }
  }
  return place.function == 0 || append(memory, place.function, text);
}

}  // namespace umaskaudit::shim
