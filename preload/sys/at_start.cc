// Room for the texts of a start; see at_start.h.

#include "preload/sys/at_start.h"

#include <cstring>

namespace umaskaudit::shim {

namespace {

// Space for LD_PRELOAD and our entry in it, the options and the program's path, each at its
// greatest length. Taken from the end, so that the few bytes that most starts need share a page
// with the variables beside them.
[[gnu::section(".data.start.texts")]] constinit char texts[3 * 4096 + 2048] = {};
UMASKAUDIT_AT_START(words) constinit std::size_t taken = 0;

}  // namespace

char* room_for_text(std::size_t length) {
  if (length >= sizeof texts - taken) return nullptr;
  taken += length + 1;
  return texts + sizeof texts - taken;
}

char* keep_text(const char* bytes, std::size_t length) {
  char* const copy = room_for_text(length);
  if (copy == nullptr) return nullptr;
  memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

}  // namespace umaskaudit::shim
