// Parses and formats modes; see notation.h. Symbolic modes follow the grammar of POSIX chmod(1),
// "Extended Description"; one clause may have several operators ("u=r+x"), and each operator one
// copy.
#include "reporter/mode/notation.h"

#include <sys/stat.h>

#include <optional>

namespace umaskaudit {
namespace {

constexpr Mode kAllBits = 07777;
constexpr Mode kPermissions = 0777;
constexpr Mode kAllRead = S_IRUSR | S_IRGRP | S_IROTH;
constexpr Mode kAllWrite = S_IWUSR | S_IWGRP | S_IWOTH;
constexpr Mode kAllExecute = S_IXUSR | S_IXGRP | S_IXOTH;

// The bits of a class, including its special bit: g=rx clears S_ISGID.
std::optional<Mode> class_bits(char letter) {
  switch (letter) {
    case 'u':
      return S_ISUID | S_IRWXU;
    case 'g':
      return S_ISGID | S_IRWXG;
    case 'o':
      return S_ISVTX | S_IRWXO;
    case 'a':
      return kAllBits;
    default:
      return std::nullopt;
  }
}

std::string quoted(char letter) { return std::string("'") + letter + "'"; }

class SymbolicParser {
 public:
  SymbolicParser(std::string_view text, Mode base, bool directory)
      : text_(text), mode_(base), directory_(directory) {}

  Parsed<Mode> parse() {
    do {
      if (!clause()) return error_;
    } while (skip(','));
    if (at_ < text_.size()) return NotationError{at_, unexpected()};
    return mode_;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool skip(char letter) {
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  bool at_operator() const { return peek() == '+' || peek() == '-' || peek() == '='; }

  std::string unexpected() const {
    if (copied_) return quoted(peek()) + " after a copied class: a copy stands alone";
    return quoted(peek()) + " is no permission: use r w x X s t, or one of u g o to copy";
  }

  bool clause() {
    Mode affected = 0;
    for (; at_ < text_.size() && class_bits(text_[at_]); ++at_) affected |= *class_bits(text_[at_]);
    if (affected == 0) affected = kAllBits;
    if (!at_operator()) {
      const bool end = at_ >= text_.size();
      error_ = {at_, (end ? std::string("the text ends") : quoted(peek())) +
                         " where one of + - = is needed"};
      return false;
    }
    while (at_operator()) {
      const char operation = text_[at_++];
      apply(operation, affected, permissions() & affected);
    }
    return true;
  }

  // The permissions after an operator, for all classes. Stops at the first letter that is none.
  Mode permissions() {
    copied_ = peek() != 'a' && peek() != '\0' && class_bits(peek()).has_value();
    if (copied_) return copy_of(*class_bits(text_[at_++]));
    Mode value = 0;
    for (;; ++at_) {
      switch (peek()) {
        case 'r':
          value |= kAllRead;
          break;
        case 'w':
          value |= kAllWrite;
          break;
        case 'x':
          value |= kAllExecute;
          break;
        case 'X':
          if (directory_ || (mode_ & kAllExecute) != 0) value |= kAllExecute;
          break;
        case 's':
          value |= S_ISUID | S_ISGID;
          break;
        case 't':
          value |= S_ISVTX;
          break;
        default:
          return value;
      }
    }
  }

  // The current rwx of one class, copied to every class; special bits are not copied.
  Mode copy_of(Mode from) const {
    const Mode source = mode_ & from & kPermissions;
    Mode value = 0;
    if ((source & kAllRead) != 0) value |= kAllRead;
    if ((source & kAllWrite) != 0) value |= kAllWrite;
    if ((source & kAllExecute) != 0) value |= kAllExecute;
    return value;
  }

  void apply(char operation, Mode affected, Mode value) {
    if (operation == '=') mode_ &= ~affected;
    if (operation == '-')
      mode_ &= ~value;
    else
      mode_ |= value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Mode mode_;
  bool directory_;
  bool copied_ = false;  // the last permissions were copied from a class
  NotationError error_;
};

Parsed<Mode> parse_octal(std::string_view text) {
  Mode value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '7')
      return NotationError{i, quoted(text[i]) + " is no octal digit"};
    value = value * 8 + static_cast<Mode>(text[i] - '0');
    if (value > kAllBits) return NotationError{i, "greater than 7777"};
  }
  return value;
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

Parsed<Mode> parse(std::string_view text, Mode base, bool directory) {
  if (text.empty()) return NotationError{0, "nothing is written"};
  if (is_digit(text.front())) return parse_octal(text);
  return SymbolicParser(text, base, directory).parse();
}

}  // namespace

Parsed<Mode> parse_mode(std::string_view text, Mode base, bool directory) {
  return parse(text, base & kAllBits, directory);
}

Parsed<Mode> parse_mask(std::string_view text, Mode current) {
  Parsed<Mode> parsed = parse(text, ~current & kPermissions, false);
  if (Mode* value = std::get_if<Mode>(&parsed)) {
    const bool taken_away = is_digit(text.front());
    *value = (taken_away ? *value : ~*value) & kPermissions;
  }
  return parsed;
}

std::string octal(std::uint32_t bits) {
  char text[11];  // of 32 bits
  std::size_t at = sizeof text;
  do {
    text[--at] = static_cast<char>('0' + (bits & 7));
    bits >>= 3;
  } while (bits != 0 || sizeof text - at < 4);
  return {text + at, sizeof text - at};
}

std::string rwx(Mode mode) {
  std::string text = "rwxrwxrwx";
  for (unsigned i = 0; i < 9; ++i)
    if ((mode & (0400u >> i)) == 0) text[i] = '-';
  const auto special = [&](Mode bit, std::size_t at, char with_x, char without_x) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? with_x : without_x;
  };
  special(S_ISUID, 2, 's', 'S');
  special(S_ISGID, 5, 's', 'S');
  special(S_ISVTX, 8, 't', 'T');
  return text;
}

std::string symbolic(Mode mode) {
  struct Class {
    const char* name;
    unsigned shift;
    Mode special;
    char letter;
  };
  constexpr Class kClasses[] = {
      {"u=", 6, S_ISUID, 's'}, {",g=", 3, S_ISGID, 's'}, {",o=", 0, S_ISVTX, 't'}};
  std::string text;
  for (const Class& one : kClasses) {
    const Mode bits = mode >> one.shift & 7;
    text += one.name;
    if ((bits & 4) != 0) text += 'r';
    if ((bits & 2) != 0) text += 'w';
    if ((bits & 1) != 0) text += 'x';
    if ((mode & one.special) != 0) text += one.letter;
  }
  return text;
}

std::string symbolic_mask(Mode mask) { return symbolic(~mask & kPermissions); }

std::optional<Mode> intended_mask(Mode mask) {
  if ((mask & (S_IRUSR | S_IWUSR)) == 0) return std::nullopt;
  // Directories and executable files need x for each class that has r.
  const Mode allowed = mask | (mask & kAllRead) >> 2;
  return ~allowed & kPermissions;
}

}  // namespace umaskaudit
