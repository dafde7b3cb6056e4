// A place of a script in text: what a runtime decodes, and what a record or a log line says of it.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// A place in text. What does not fit is cut off. A place may be several frames, of functions that a
// compiler inlined into each other: decode() is asked for one after the other.
struct PlaceText {
  unsigned part = 0;  // which of them, from the innermost: asked for
  bool more = false;  // there is another one
  char file[1024];
  std::uint32_t file_length = 0;  // 0: not known
  char function[256];
  std::uint32_t function_length = 0;  // 0: not known
  std::uint32_t line = 0;             // 0: not known
  std::uint8_t flags = 0;             // kLineOfOther
};

}  // namespace umaskaudit::shim
