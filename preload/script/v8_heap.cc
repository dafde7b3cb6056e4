// Strings and tables of V8; see v8_heap.h.
// Sources: src/objects/string.tq, src/codegen/source-position-table.cc,
// src/baseline/bytecode-offset-iterator.h.

#include "preload/script/v8_heap.h"

#include "preload/script/byte_stream.h"
#include "preload/script/utf8.h"

namespace umaskaudit::shim::v8_runtime {

namespace {

// The lowest bits of a string's type: its representation.
enum class Form : std::uint8_t { sequential = 0, cons = 1, external = 2, sliced = 3, thin = 5 };
constexpr unsigned kFormMask = 7;
constexpr unsigned kOneByte = 8;
constexpr unsigned kFirstPart = 16;   // of a cons string; also the target of a thin string
constexpr unsigned kSecondPart = 24;  // of a cons
constexpr unsigned kExternalChars = 24;

// Numbers of seven bits a byte, lowest first; bit 7 is set in all but the last byte.
class Stream : public ByteStream {
 public:
  using ByteStream::ByteStream;

  std::uint64_t number() {
    std::uint64_t value = 0;
    unsigned byte = 128;
    for (unsigned shift = 0; (byte & 128) != 0 && shift < 64 && more(); shift += 7) {
      byte = this->byte();
      value |= std::uint64_t{byte & 127} << shift;
    }
    if ((byte & 128) != 0) set_bad();
    return value;
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
};

// Characters of one or two bytes, copied in pieces.
class Characters {
 public:
  Characters(Peek& memory, std::uintptr_t at, unsigned size, std::int32_t count)
      : memory_(memory), at_(at), size_(size), left_(count) {}

  // False: no more, or not readable (is_bad()).
  bool next(std::uint16_t& out) {
    if (left_ <= 0) return false;
    if (place_ == count_ && !fill()) return false;
    out = piece_[place_];
    if (size_ == 2) std::memcpy(&out, piece_ + 2 * place_, sizeof out);
    ++place_;
    --left_;
    return true;
  }
  bool is_bad() const { return bad_; }

 private:
  bool fill() {
    constexpr std::int32_t kAtOnce = sizeof piece_;
    count_ = static_cast<unsigned>(left_ < kAtOnce / 2 ? left_ : kAtOnce / 2);
    bad_ = !memory_.read(at_, piece_, std::size_t{count_} * size_);
    at_ += std::uintptr_t{count_} * size_;
    place_ = 0;
    return !bad_;
  }

  Peek& memory_;
  std::uintptr_t at_;
  unsigned size_;
  std::int32_t left_;
  unsigned place_ = 0;
  unsigned count_ = 0;
  bool bad_ = false;
  unsigned char piece_[512] = {};
};

}  // namespace

std::uintptr_t Heap::field(std::uintptr_t object, unsigned offset) {
  std::uintptr_t word = 0;
  return object != 0 && memory_.get(object + offset, word) ? object_of(word) : 0;
}

bool Heap::number(std::uintptr_t object, unsigned offset, std::int32_t& out) {
  std::uintptr_t word = 0;
  if (object == 0 || !memory_.get(object + offset, word) || !is_number(word)) return false;
  out = number_of(word);
  return true;
}

unsigned Heap::type_of(std::uintptr_t object) {
  const std::uintptr_t map = field(object, 0);
  std::uint16_t type = 0;
  return map != 0 && memory_.get(map + kMapType, type) ? type : kNoType;
}

bool Heap::copy_text(std::uintptr_t text, char* out, std::uint32_t room, std::uint32_t& length,
                     unsigned depth) {
  const unsigned type = type_of(text);
  std::int32_t count = 0;
  if (type >= v8_.first_other_type || depth == 0 || !memory_.get(text + kStringLength, count)) {
    return false;
  }
  std::uintptr_t at = text + kStringChars;
  switch (static_cast<Form>(type & kFormMask)) {
    case Form::sequential:
      break;
    case Form::external:
      if (!memory_.get(text + kExternalChars, at)) return false;
      break;
    case Form::cons:
      return copy_text(field(text, kFirstPart), out, room, length, depth - 1) &&
             copy_text(field(text, kSecondPart), out, room, length, depth - 1);
    case Form::thin:
      return copy_text(field(text, kFirstPart), out, room, length, depth - 1);
    case Form::sliced:
    default:
      return false;
  }
  Characters characters(memory_, at, (type & kOneByte) != 0 ? 1 : 2, count);
  std::uint16_t unit = 0;
  std::uint32_t high = 0;  // the first half of a surrogate pair
  while (length + kLongestUtf8 <= room && characters.next(unit)) {
    if (high == 0 && unit >= 0xd800 && unit < 0xdc00) {
      high = unit;
      continue;
    }
    const bool pair = high != 0 && unit >= 0xdc00 && unit < 0xe000;
    const std::uint32_t character =
        pair ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00u) : unit;
    high = 0;
    length += encode_utf8(character, out + length);
  }
  return !characters.is_bad();
}

std::int32_t Heap::lines_before(std::uintptr_t text, std::int32_t offset, unsigned depth) {
  const unsigned type = type_of(text);
  std::int32_t count = 0;
  if (type >= v8_.first_other_type || depth == 0 || !memory_.get(text + kStringLength, count)) {
    return -1;
  }
  if (offset > count) offset = count;
  std::uintptr_t at = text + kStringChars;
  switch (static_cast<Form>(type & kFormMask)) {
    case Form::sequential:
      break;
    case Form::external:
      if (!memory_.get(text + kExternalChars, at)) return -1;
      break;
    case Form::thin:
      return lines_before(field(text, kFirstPart), offset, depth - 1);
    case Form::cons: {
      const std::uintptr_t first = field(text, kFirstPart);
      std::int32_t size = 0;
      if (first == 0 || !memory_.get(first + kStringLength, size)) return -1;
      const std::int32_t lines = lines_before(first, offset < size ? offset : size, depth - 1);
      if (lines < 0 || offset <= size) return lines;
      const std::int32_t rest = lines_before(field(text, kSecondPart), offset - size, depth - 1);
      return rest < 0 ? -1 : lines + rest;
    }
    case Form::sliced:
    default:
      return -1;
  }
  Characters characters(memory_, at, (type & kOneByte) != 0 ? 1 : 2, offset);
  std::int32_t lines = 0;
  std::uint16_t unit = 0;
  while (characters.next(unit)) lines += unit == '\n' ? 1 : 0;
  return characters.is_bad() ? -1 : lines;
}

bool Heap::bytes_of(std::uintptr_t array, std::uintptr_t& at, std::uint32_t& size) {
  constexpr std::int32_t kLargest = 1 << 22;
  const unsigned type = type_of(array);
  std::int32_t length = 0;
  if (type != v8_.byte_array_type && type != v8_.trusted_bytes_type) return false;
  if (!number(array, kArrayLength, length) || length < 0 || length > kLargest) return false;
  at = array + kArrayItems;
  size = static_cast<std::uint32_t>(length);
  return true;
}

// Pairs of increments: of the code's offset, whose sign marks a statement, and of the position.
Position Heap::position(std::uintptr_t table, std::int64_t offset) {
  std::uintptr_t at = 0;
  std::uint32_t size = 0;
  if (!bytes_of(table, at, size)) return {};
  Stream stream(memory_, at, size);
  std::int64_t code = -1;
  std::int64_t source = 0;
  while (stream.more()) {
    const std::int64_t step = stream.signed_number();
    code += step >= 0 ? step : -(step + 1);
    if (code > offset) break;
    source += stream.signed_number();
    if (stream.is_bad()) return {};
  }
  return {source};
}

// One number for each bytecode: the size of its code; the first one is the prologue's.
std::int64_t Heap::bytecode_at(std::uintptr_t offsets, std::uintptr_t array, std::int64_t offset) {
  std::uintptr_t at = 0;
  std::uint32_t size = 0;
  std::int32_t length = 0;
  if (v8_.bytecode_sizes == 0 || !bytes_of(offsets, at, size)) return -1;
  if (!number(array, kArrayLength, length) || length < 0) return -1;
  Stream sizes(memory_, at, size);
  Stream code(memory_, array + v8_.array_data, static_cast<std::uint32_t>(length));
  std::int64_t reached = static_cast<std::int64_t>(sizes.number());
  if (offset < reached) return -1;
  std::int64_t bytecode = 0;
  while (sizes.more() && code.more()) {
    reached += static_cast<std::int64_t>(sizes.number());
    if (offset < reached) break;
    // The first four scale the operands of the one that follows: wide and extra-wide, two of each.
    unsigned operation = code.byte();
    unsigned scale = 0;
    if (operation < 4) {
      scale = operation % 2 == 0 ? 1 : 2;
      operation = code.byte();
    }
    std::uint8_t width = 0;
    const std::uintptr_t entry = std::uintptr_t{scale} * v8_.bytecodes + operation;
    if (operation >= v8_.bytecodes || !memory_.get(v8_.bytecode_sizes + entry, width)) return -1;
    code.skip(width > 1 ? width - 1u : 0u);
    bytecode += width + (scale != 0 ? 1 : 0);
  }
  return sizes.is_bad() || code.is_bad() ? -1 : bytecode;
}

}  // namespace umaskaudit::shim::v8_runtime
