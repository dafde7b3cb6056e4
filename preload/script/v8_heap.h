// Reads objects of V8's heap: tagged words, types, strings, and the tables that map code to a
// source position.
// Must never trust a word: an object's type is checked before its fields are followed.
#pragma once

#include <cstdint>

#include "preload/script/v8_layout.h"

namespace umaskaudit::shim::v8_runtime {

// A tagged word: the lowest bits of a pointer to a heap object are 01, the lowest of a number (Smi)
// is 0.
inline std::uintptr_t object_of(std::uintptr_t word) { return (word & 3) == 1 ? word - 1 : 0; }
inline bool is_number(std::uintptr_t word) { return (word & 1) == 0; }
inline std::int32_t number_of(std::uintptr_t word) { return static_cast<std::int32_t>(word >> 32); }

// The source position of a table entry, and the inlined function that it is in (0: none).
struct Position {
  std::int64_t word = -1;
  bool known() const { return word >= 0; }
  std::int32_t offset() const { return static_cast<std::int32_t>(word >> 1 & 0x3fffffff); }
  unsigned inlined() const { return static_cast<unsigned>(word >> 31 & 0xffff); }
};

class Heap {
 public:
  Heap(const Structures& v8, Peek& memory) : v8_(v8), memory_(memory) {}

  // 0: no object.
  std::uintptr_t field(std::uintptr_t object, unsigned offset);
  bool number(std::uintptr_t object, unsigned offset, std::int32_t& out);
  static constexpr unsigned kNoType = 0xffffffff;
  unsigned type_of(std::uintptr_t object);
  bool is_text(std::uintptr_t object) { return type_of(object) < v8_.first_other_type; }

  // Appends in UTF-8, cut to the buffer.
  bool copy_text(std::uintptr_t text, char* out, std::uint32_t room, std::uint32_t& length,
                 unsigned depth = 8);
  // The number of line ends before the character at `offset`; -1: not readable.
  std::int32_t lines_before(std::uintptr_t text, std::int32_t offset, unsigned depth = 24);

  // The entry of a source position table for the code at `offset`.
  Position position(std::uintptr_t table, std::int64_t offset);
  // The bytecode that the baseline code at `offset` implements; -1: not known.
  std::int64_t bytecode_at(std::uintptr_t offsets, std::uintptr_t array, std::int64_t offset);

 private:
  bool bytes_of(std::uintptr_t array, std::uintptr_t& at, std::uint32_t& size);

  const Structures& v8_;
  Peek& memory_;
};

}  // namespace umaskaudit::shim::v8_runtime
