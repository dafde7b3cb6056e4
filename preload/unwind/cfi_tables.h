// Parses .eh_frame_hdr and .eh_frame, from memory that the template parameter `Memory` describes;
// cfi.cc and copied_tables.cc provide one each. Must never read what Memory does not hold; needs
// little stack. A Memory has
//   readable(part)      called for the beginning of each part of the tables
//   holds(part, size)   called for what follows in that part
// and kPadding readable bytes after its end, for a number that begins before it. Follows the LSB's
// ".eh_frame" chapter, DWARF 5 section 6.4, and the psABI.
#pragma once

#include <cstdint>
#include <cstring>
#include <new>

#include "preload/unwind/frame_rule.h"
#include "preload/unwind/leb128.h"

namespace umaskaudit::shim::cfi {

constexpr std::size_t kPadding = 16;

// Pointer encodings (LSB, "DWARF Exception Header Encoding").
enum : std::uint8_t {
  kAbsolute = 0x00,
  kUleb = 0x01,
  kUdata2 = 0x02,
  kUdata4 = 0x03,
  kUdata8 = 0x04,
  kSleb = 0x09,
  kSdata2 = 0x0a,
  kSdata4 = 0x0b,
  kSdata8 = 0x0c,
  kPcRelative = 0x10,
  kDataRelative = 0x30,
  kIndirect = 0x80,
  kOmitted = 0xff,
};

class Cursor {
 public:
  Cursor(const std::uint8_t* at, const std::uint8_t* end) : at_(at), end_(end) {}
  const std::uint8_t* at() const { return at_; }
  bool more() const { return at_ < end_ && !failed_; }
  bool failed() const { return failed_; }
  void fail() { failed_ = true; }

  template <typename T>
  T take() {
    T value{};
    if (static_cast<std::size_t>(end_ - at_) < sizeof value) {
      failed_ = true;
      at_ = end_;
      return value;
    }
    memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::uint64_t uleb() {
    return read_uleb([this] { return take<std::uint8_t>(); });
  }
  std::int64_t sleb() {
    return read_sleb([this] { return take<std::uint8_t>(); });
  }
  void skip(std::uint64_t bytes) {
    if (bytes > static_cast<std::uint64_t>(end_ - at_)) {
      failed_ = true;
      bytes = static_cast<std::uint64_t>(end_ - at_);
    }
    at_ += bytes;
  }
  std::uintptr_t pointer(std::uint8_t encoding, std::uintptr_t data_base) {
    const auto place = reinterpret_cast<std::uintptr_t>(at_);
    std::uintptr_t value = 0;
    switch (encoding & 0x0f) {
      case kAbsolute:
      case kUdata8:
      case kSdata8:
        value = take<std::uint64_t>();
        break;
      case kUleb:
        value = uleb();
        break;
      case kSleb:
        value = static_cast<std::uintptr_t>(sleb());
        break;
      case kUdata2:
        value = take<std::uint16_t>();
        break;
      case kSdata2:
        value = static_cast<std::uintptr_t>(std::intptr_t{take<std::int16_t>()});
        break;
      case kUdata4:
        value = take<std::uint32_t>();
        break;
      case kSdata4:
        value = static_cast<std::uintptr_t>(std::intptr_t{take<std::int32_t>()});
        break;
      default:
        failed_ = true;
        return 0;
    }
    if ((encoding & 0x70) == kPcRelative) value += place;
    if ((encoding & 0x70) == kDataRelative) value += data_base;
    return value;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

// A CIE or FDE: `begin` at its length field.
struct Entry {
  const std::uint8_t* id = nullptr;  // the field after the length
  const std::uint8_t* end = nullptr;
};

template <typename Memory>
bool read_entry(Memory memory, const std::uint8_t* begin, Entry& entry) {
  std::uint32_t length = 0;
  if (!memory.holds(begin, sizeof length)) return false;
  memcpy(&length, begin, sizeof length);
  // 0 ends a section; 0xffffffff announces 64-bit DWARF, which no linker writes into .eh_frame.
  if (length == 0 || length == 0xffffffff || !memory.holds(begin + 4, length)) return false;
  entry = {begin + 4, begin + 4 + length};
  return true;
}

struct Cie {
  std::uint64_t code_factor = 1;
  std::int64_t data_factor = -8;
  std::uint64_t return_register = 16;
  std::uint8_t pointer_encoding = kAbsolute;
  bool signal_frame = false;
  bool augmented = false;
  const std::uint8_t* instructions = nullptr;
  const std::uint8_t* end = nullptr;
};

template <typename Memory>
[[gnu::noinline]] bool read_cie(Memory memory, const std::uint8_t* begin, Cie& cie) {
  Entry entry;
  if (!read_entry(memory, begin, entry)) return false;
  Cursor in(entry.id, entry.end);
  in.take<std::uint32_t>();  // id 0
  const auto version = in.take<std::uint8_t>();
  if (version != 1 && version != 3) return false;
  const auto* augmentation = reinterpret_cast<const char*>(in.at());
  while (in.more() && in.take<std::uint8_t>() != 0) {
  }
  cie.code_factor = in.uleb();
  cie.data_factor = in.sleb();
  cie.return_register = version == 1 ? in.take<std::uint8_t>() : in.uleb();
  if (augmentation[0] == 'z') {
    cie.augmented = true;
    const std::uint64_t length = in.uleb();
    if (!memory.holds(in.at(), length)) return false;
    const std::uint8_t* behind = in.at() + length;
    for (const char* letter = augmentation + 1; *letter != '\0'; ++letter) {
      if (*letter == 'R') {
        cie.pointer_encoding = in.take<std::uint8_t>();
      } else if (*letter == 'P') {
        const auto encoding = in.take<std::uint8_t>();
        in.pointer(encoding, 0);
      } else if (*letter == 'L') {
        in.take<std::uint8_t>();
      } else if (*letter == 'S') {
        cie.signal_frame = true;
      }
    }
    in = Cursor(behind, entry.end);
  } else if (augmentation[0] != '\0') {
    return false;
  }
  cie.instructions = in.at();
  cie.end = entry.end;
  return !in.failed() && cie.return_register == 16;
}

// The row of the unwind table while instructions run (DWARF 5, 6.4.2).
struct Row {
  enum class Place : std::uint8_t { same, offset, expression, undefined, unsupported };
  FrameRule::Cfa cfa = FrameRule::Cfa::none;
  bool cfa_unsupported = false;
  std::int64_t cfa_offset = 0;
  const std::uint8_t* cfa_expression = nullptr;
  struct Saved {
    Place place = Place::same;
    std::int64_t offset = 0;
    const std::uint8_t* expression = nullptr;
  } rbp, rsp, pc;

  Saved* saved(std::uint64_t number) {
    if (number == 6) return &rbp;
    if (number == 7) return &rsp;
    if (number == 16) return &pc;
    return nullptr;
  }
  void set_cfa_register(std::uint64_t number) {
    cfa_unsupported = number != 6 && number != 7;
    cfa = number == 6 ? FrameRule::Cfa::rbp : FrameRule::Cfa::rsp;
  }
  void save(std::uint64_t number, Place place, std::int64_t offset = 0,
            const std::uint8_t* expression = nullptr) {
    if (Saved* saved_register = saved(number)) *saved_register = {place, offset, expression};
  }
};

class Interpreter {
 public:
  Interpreter(const Cie& cie, std::uintptr_t location, std::uintptr_t target)
      : cie_(cie), location_(location), target_(target) {}

  // Runs instructions up to the row for the target. False: an instruction that is not supported.
  bool run(const std::uint8_t* begin, const std::uint8_t* end, std::uint8_t encoding) {
    Cursor in(begin, end);
    while (in.more() && location_ <= target_) {
      const auto op = in.take<std::uint8_t>();
      const std::uint64_t low = op & 0x3f;
      switch (op & 0xc0) {
        case 0x40:  // DW_CFA_advance_loc
          advance(low);
          continue;
        case 0x80:  // DW_CFA_offset
          row_.save(low, Row::Place::offset, factored(static_cast<std::int64_t>(in.uleb())));
          continue;
        case 0xc0:  // DW_CFA_restore
          restore(low);
          continue;
        default:
          break;
      }
      if (!extended(op, in, encoding)) return false;
    }
    return !in.failed();
  }
  void end_of_cie() { initial_ = row_; }
  const Row& row() const { return row_; }

 private:
  void advance(std::uint64_t delta) { location_ += delta * cie_.code_factor; }
  void restore(std::uint64_t number) {
    Row::Saved* saved = row_.saved(number);
    if (saved != nullptr) *saved = *initial_.saved(number);
  }
  std::int64_t factored(std::int64_t value) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) *
                                     static_cast<std::uint64_t>(cie_.data_factor));
  }

  bool extended(std::uint8_t op, Cursor& in, std::uint8_t encoding) {
    switch (op) {
      case 0x00:  // DW_CFA_nop
        return true;
      case 0x01:  // DW_CFA_set_loc
        location_ = in.pointer(encoding, 0);
        return true;
      case 0x02:
        advance(in.take<std::uint8_t>());
        return true;
      case 0x03:
        advance(in.take<std::uint16_t>());
        return true;
      case 0x04:
        advance(in.take<std::uint32_t>());
        return true;
      case 0x05: {  // DW_CFA_offset_extended
        const auto number = in.uleb();
        row_.save(number, Row::Place::offset, factored(static_cast<std::int64_t>(in.uleb())));
        return true;
      }
      case 0x06:
        restore(in.uleb());
        return true;
      case 0x07:
        row_.save(in.uleb(), Row::Place::undefined);
        return true;
      case 0x08:
        row_.save(in.uleb(), Row::Place::same);
        return true;
      case 0x09: {  // DW_CFA_register: in another register, which we do not follow
        const auto number = in.uleb();
        in.uleb();
        row_.save(number, Row::Place::unsupported);
        return true;
      }
      case 0x0a:  // DW_CFA_remember_state
        if (depth_ == kDepth) return false;
        stack_[depth_++] = row_;
        return true;
      case 0x0b:  // DW_CFA_restore_state
        if (depth_ == 0) return false;
        row_ = stack_[--depth_];
        return true;
      case 0x0c: {  // DW_CFA_def_cfa
        row_.set_cfa_register(in.uleb());
        row_.cfa_offset = static_cast<std::int64_t>(in.uleb());
        row_.cfa_expression = nullptr;
        return true;
      }
      case 0x0d:
        row_.set_cfa_register(in.uleb());
        return true;
      case 0x0e:
        row_.cfa_offset = static_cast<std::int64_t>(in.uleb());
        return true;
      case 0x0f:  // DW_CFA_def_cfa_expression
        row_.cfa = FrameRule::Cfa::expression;
        row_.cfa_unsupported = false;
        row_.cfa_expression = in.at();
        in.skip(in.uleb());
        return true;
      case 0x10:    // DW_CFA_expression
      case 0x16: {  // DW_CFA_val_expression
        const auto number = in.uleb();
        const auto place = op == 0x10 ? Row::Place::expression : Row::Place::unsupported;
        row_.save(number, place, 0, in.at());
        in.skip(in.uleb());
        return true;
      }
      case 0x11: {  // DW_CFA_offset_extended_sf
        const auto number = in.uleb();
        row_.save(number, Row::Place::offset, factored(in.sleb()));
        return true;
      }
      case 0x12:  // DW_CFA_def_cfa_sf
        row_.set_cfa_register(in.uleb());
        row_.cfa_offset = factored(in.sleb());
        return true;
      case 0x13:
        row_.cfa_offset = factored(in.sleb());
        return true;
      case 0x2e:  // DW_CFA_GNU_args_size
        in.uleb();
        return true;
      default:
        return false;
    }
  }

  static constexpr unsigned kDepth = 4;
  const Cie& cie_;
  std::uintptr_t location_;
  std::uintptr_t target_;
  Row row_;
  Row initial_;
  Row stack_[kDepth];
  unsigned depth_ = 0;
};

// The sorted table of .eh_frame_hdr: where each function begins, and its FDE.
struct FunctionTable {
  struct Pair {
    std::int32_t start;
    std::int32_t fde;
  };
  const std::uint8_t* hdr;
  const std::uint8_t* pairs = nullptr;  // null: not in the form that all linkers write
  std::uint32_t count = 0;

  Pair at(std::uint32_t index) const {
    Pair pair{};
    memcpy(&pair, pairs + std::size_t{index} * sizeof pair, sizeof pair);
    return pair;
  }
  std::uintptr_t address(std::int32_t distance) const {
    return reinterpret_cast<std::uintptr_t>(hdr) +
           static_cast<std::uintptr_t>(std::intptr_t{distance});
  }
};

constexpr std::uint64_t kHeaderMost = 4 + 16;  // with two numbers after the encodings

template <typename Memory>
[[gnu::always_inline]] inline FunctionTable read_functions(Memory memory, const std::uint8_t* hdr) {
  FunctionTable table{hdr};
  if (!memory.holds(hdr, kHeaderMost)) return table;
  // Version, then three encodings; a table of data-relative 32-bit pairs.
  if (hdr[0] != 1 || hdr[1] == kOmitted || hdr[2] != kUdata4 ||
      hdr[3] != (kDataRelative | kSdata4)) {
    return table;
  }
  Cursor in(hdr + 4, hdr + kHeaderMost);
  in.pointer(hdr[1], reinterpret_cast<std::uintptr_t>(hdr));
  table.count = in.take<std::uint32_t>();
  const std::uint64_t size = std::uint64_t{table.count} * sizeof(FunctionTable::Pair);
  if (memory.holds(in.at(), size)) table.pairs = in.at();
  return table;
}

// The number of functions that begin at `pc` or before it.
[[gnu::always_inline]] inline std::uint32_t functions_up_to(const FunctionTable& table,
                                                            std::uintptr_t pc) {
  const auto target = static_cast<std::int64_t>(pc) - static_cast<std::int64_t>(table.address(0));
  std::uint32_t low = 0;
  std::uint32_t high = table.count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (table.at(middle).start <= target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The FDE that may cover `pc`; null: none.
template <typename Memory>
[[gnu::noinline]] const std::uint8_t* find_fde(Memory memory, const std::uint8_t* hdr,
                                               std::uintptr_t pc) {
  const FunctionTable table = read_functions(memory, hdr);
  if (table.pairs == nullptr) return nullptr;
  const std::uint32_t before = functions_up_to(table, pc);
  return before != 0 ? hdr + table.at(before - 1).fde : nullptr;
}

inline bool to_rule(const Row& row, bool signal_frame, FrameRule& rule) {
  if (row.cfa == FrameRule::Cfa::none || row.cfa_unsupported) return false;
  rule.cfa = row.cfa;
  rule.cfa_offset = static_cast<std::int32_t>(row.cfa_offset);
  rule.cfa_expression = row.cfa_expression;
  rule.signal_frame = signal_frame;
  rule.end = row.pc.place == Row::Place::undefined;
  if (row.pc.place == Row::Place::unsupported || row.rbp.place == Row::Place::unsupported) {
    return false;
  }
  if (row.pc.place == Row::Place::expression) {
    rule.pc_expression = row.pc.expression;
  } else {
    rule.pc_offset = static_cast<std::int32_t>(row.pc.offset);
  }
  if (row.rsp.place == Row::Place::expression) rule.sp_expression = row.rsp.expression;
  rule.rbp_saved = row.rbp.place == Row::Place::offset || row.rbp.place == Row::Place::expression;
  rule.rbp_offset = static_cast<std::int32_t>(row.rbp.offset);
  rule.rbp_expression = row.rbp.expression;
  return true;
}

// The range of code of an FDE, and its CIE.
struct Function {
  std::uintptr_t begin = 0;
  std::uintptr_t size = 0;
  Cursor instructions{nullptr, nullptr};
  const std::uint8_t* end = nullptr;
};

// Inlined, because a walk on a small stack has no room for another frame.
template <typename Memory>
[[gnu::always_inline]] inline bool read_function(Memory memory, const std::uint8_t* fde, Cie& cie,
                                                 Function& function) {
  Entry entry;
  if (!memory.readable(fde) || !read_entry(memory, fde, entry)) return false;
  Cursor in(entry.id, entry.end);
  const std::uint8_t* id_place = in.at();
  const auto cie_distance = in.take<std::uint32_t>();
  const std::uint8_t* const cie_place = id_place - cie_distance;
  if (cie_distance == 0 || !memory.readable(cie_place) || !read_cie(memory, cie_place, cie)) {
    return false;
  }
  function.begin = in.pointer(cie.pointer_encoding, 0);
  function.size = in.pointer(cie.pointer_encoding & 0x0f, 0);
  if (cie.augmented) in.skip(in.uleb());
  function.instructions = in;
  function.end = entry.end;
  return true;
}

template <typename Memory>
[[gnu::noinline]] Lookup read_rule(Memory memory, const std::uint8_t* hdr, std::uintptr_t pc,
                                   FrameRule& rule, RuleSpace& space) {
  if (!memory.readable(hdr)) return Lookup::no_table;
  const std::uint8_t* fde = find_fde(memory, hdr, pc);
  if (fde == nullptr) return Lookup::no_table;
  static_assert(sizeof(Cie) + sizeof(Interpreter) <= sizeof space.bytes);
  auto& cie = *new (space.bytes) Cie;
  Function function;
  if (!read_function(memory, fde, cie, function)) return Lookup::no_table;
  if (pc < function.begin || pc - function.begin >= function.size) return Lookup::no_table;

  auto& interpreter = *new (space.bytes + sizeof(Cie)) Interpreter(cie, function.begin, pc);
  if (!interpreter.run(cie.instructions, cie.end, cie.pointer_encoding)) return Lookup::no_table;
  interpreter.end_of_cie();
  if (!interpreter.run(function.instructions.at(), function.end, cie.pointer_encoding)) {
    return Lookup::no_table;
  }
  rule = {};
  return to_rule(interpreter.row(), cie.signal_frame, rule) ? Lookup::found : Lookup::no_table;
}

}  // namespace umaskaudit::shim::cfi
