// Decodes the three formats of CPython's line tables; see cpython_layout.h. Sources:
// Objects/lnotab_notes.txt of 3.9 and 3.10, Objects/locations.md of 3.11.

#include "preload/script/byte_stream.h"
#include "preload/script/cpython_layout.h"

namespace umaskaudit::shim::cpython_runtime {

namespace {

// PyBytesObject, of every version.
constexpr unsigned kBytesSize = 16;
constexpr unsigned kBytesData = 32;

class TableBytes : public ByteStream {
 public:
  using ByteStream::ByteStream;

  unsigned next() { return byte(); }
  int next_signed() { return static_cast<signed char>(byte()); }

  // Six bits in each byte, lowest first; another one follows while bit 6 is set.
  unsigned next_number() {
    unsigned value = 0;
    unsigned byte = 0;
    unsigned shift = 0;
    do {
      byte = next();
      value |= (byte & 63) << shift;
      shift += 6;
    } while ((byte & 64) != 0 && shift < 32 && !is_bad());
    return value;
  }
  int next_signed_number() {
    const unsigned value = next_number();
    const int size = static_cast<int>(value >> 1);
    return (value & 1) != 0 ? -size : size;
  }
};

int line_by_increments(TableBytes& table, int line, int offset) {
  int at = 0;
  while (table.more()) {
    at += static_cast<int>(table.next());
    const int step = table.next_signed();
    if (at > offset) break;
    line += step;
  }
  return line;
}

int line_by_pairs(TableBytes& table, int line, int offset) {
  constexpr int kNoLine = -128;
  int end = 0;
  int shown = line;
  while (table.more()) {
    end += static_cast<int>(table.next());
    const int step = table.next_signed();
    if (step != kNoLine) line += step;
    shown = step != kNoLine ? line : 0;
    if (end > offset) return shown;
  }
  return shown;
}

int line_by_locations(TableBytes& table, int line, int offset) {
  // The kinds of entries: 0 to 9 stay on the line (one more byte), 10 to 12 advance by the kind
  // less 10 lines (two more bytes).
  constexpr unsigned kNoColumns = 13;
  constexpr unsigned kLong = 14;
  constexpr unsigned kNoLocation = 15;
  int end = 0;
  while (table.more()) {
    const unsigned first = table.next();
    if ((first & 128) == 0) return 0;
    const unsigned kind = first >> 3 & 15;
    if (kind == kLong || kind == kNoColumns) {
      line += table.next_signed_number();
      for (unsigned i = 0; kind == kLong && i < 3; ++i) table.next_number();
    } else if (kind != kNoLocation) {
      if (kind >= 10) line += static_cast<int>(kind) - 10;
      for (unsigned i = 0; i < (kind >= 10 ? 2u : 1u); ++i) table.next();
    }
    end += static_cast<int>((first & 7) + 1) * 2;
    if (end > offset) return kind != kNoLocation ? line : 0;
  }
  return 0;
}

}  // namespace

std::uint32_t line_of(Peek& memory, const Structures& python, std::uintptr_t code,
                      std::int32_t offset) {
  constexpr std::int64_t kLargest = 1 << 24;
  std::uintptr_t object = 0;
  std::int64_t size = 0;
  int line = 0;
  if (!memory.get(code + python.code_lines, object) ||
      !memory.get(code + python.code_first_line, line) || !memory.get(object + kBytesSize, size) ||
      size < 0 || size > kLargest) {
    return 0;
  }
  if (offset >= 0) {
    TableBytes table(memory, object + kBytesData, static_cast<std::size_t>(size));
    switch (python.lines) {
      case LineTable::lnotab:
        line = line_by_increments(table, line, offset);
        break;
      case LineTable::pairs:
        line = line_by_pairs(table, line, offset);
        break;
      case LineTable::locations:
        line = line_by_locations(table, line, offset);
        break;
    }
    if (table.is_bad()) return 0;
  }
  return line > 0 ? static_cast<std::uint32_t>(line) : 0;
}

}  // namespace umaskaudit::shim::cpython_runtime
