// Parses the grammar of setfacl(1), section "ACL ENTRIES", as far as it affects modes.
#include "reporter/mode/acl_text.h"

#include <map>
#include <string>
#include <utility>

namespace umaskaudit {
namespace {

// A word of the text, and its offset.
struct Field {
  std::string_view text;
  std::size_t offset = 0;
  std::size_t end() const { return offset + text.size(); }
};

// Splits off the part of `rest` before `separator` (or all of it). False at the end.
bool next_field(std::optional<Field>& rest, char separator, Field& field) {
  if (!rest) return false;
  const std::size_t length = rest->text.find(separator);
  field = {rest->text.substr(0, length), rest->offset};
  if (length == std::string_view::npos) {
    rest.reset();
  } else {
    rest = Field{rest->text.substr(length + 1), rest->offset + length + 1};
  }
  return true;
}

enum class Who { user, group, mask, other };

std::optional<Who> who_from(std::string_view word) {
  if (word == "u" || word == "user") return Who::user;
  if (word == "g" || word == "group") return Who::group;
  if (word == "m" || word == "mask") return Who::mask;
  if (word == "o" || word == "other") return Who::other;
  return std::nullopt;
}

// Zero for '-', nothing for a letter that is no permission. X is x: the ACL is a directory's.
std::optional<unsigned> permission_bit(char letter) {
  switch (letter) {
    case 'r':
      return 4;
    case 'w':
      return 2;
    case 'x':
    case 'X':
      return 1;
    case '-':
      return 0;
    default:
      return std::nullopt;
  }
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// A permission: an octal digit, or letters in any order, none of them twice.
Parsed<std::uint8_t> permissions(const Field& field) {
  if (field.text.empty()) return NotationError{field.offset, "permissions are missing"};
  const bool number = is_digit(field.text.front());
  unsigned bits = 0;
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    const char letter = field.text[i];
    const auto wrong = [&](const char* why) {
      return NotationError{field.offset + i, std::string("'") + letter + "' " + why};
    };
    if (number) {
      if (!is_digit(letter) || letter > '7' || bits != 0) return wrong("makes no number 0 to 7");
      bits = static_cast<unsigned>(letter - '0');
      continue;
    }
    const std::optional<unsigned> bit = permission_bit(letter);
    if (!bit) return wrong("is no permission: use r w x X -, or a number 0 to 7");
    if (letter != '-' && field.text.find(letter) < i) return wrong("is there twice");
    bits |= *bit;
  }
  return static_cast<std::uint8_t>(bits);
}

class AclParser {
 public:
  explicit AclParser(std::string_view text) : text_(text) {}

  Parsed<DefaultAcl> parse(std::optional<Mode> directory) {
    std::optional<Field> rest = Field{text_, 0};
    Field entry;
    while (next_field(rest, ',', entry)) {
      // setfacl accepts a trailing comma
      if (entry.text.empty() && !rest && entry.offset != 0) break;
      if (std::optional<NotationError> error = parse_entry(entry)) return *error;
    }
    return finish(directory);
  }

 private:
  std::optional<NotationError> parse_entry(const Field& entry) {
    std::optional<Field> rest = entry;
    Field word;
    next_field(rest, ':', word);
    if ((word.text == "d" || word.text == "default") && rest) next_field(rest, ':', word);
    const std::optional<Who> who = who_from(word.text);
    if (!who) return NotationError{word.offset, "an entry begins with u g m or o, after d: or not"};
    if (!rest) return NotationError{word.end(), "':' and permissions are missing"};
    Field qualifier;
    Field last;
    next_field(rest, ':', qualifier);
    if (rest) {
      next_field(rest, ':', last);
    } else if (*who == Who::mask || *who == Who::other) {
      last = std::exchange(qualifier, Field{});  // "o:r" is short for "o::r"
    } else {
      return NotationError{qualifier.end(), "':' and permissions are missing"};
    }
    if (rest) return NotationError{last.end(), "nothing may follow the permissions"};
    return store(*who, qualifier, last);
  }

  std::optional<NotationError> store(Who who, const Field& qualifier, const Field& last) {
    const Parsed<std::uint8_t> parsed = permissions(last);
    if (const auto* error = std::get_if<NotationError>(&parsed)) return *error;
    const std::uint8_t bits = std::get<std::uint8_t>(parsed);
    const bool named = !qualifier.text.empty();
    switch (who) {
      case Who::user:
      case Who::group:
        if (named) {
          // of duplicate entries the last one counts
          named_[{who, std::string(qualifier.text)}] = bits;
        } else {
          (who == Who::user ? user_ : group_) = bits;
        }
        break;
      case Who::mask:
      case Who::other:
        if (named) return NotationError{qualifier.offset, "mask and other take no name"};
        (who == Who::mask ? mask_ : other_) = bits;
        break;
    }
    return std::nullopt;
  }

  Parsed<DefaultAcl> finish(std::optional<Mode> directory) {
    const auto copy = [&](std::optional<std::uint8_t>& bits, unsigned shift) {
      if (!bits && directory) bits = static_cast<std::uint8_t>(*directory >> shift & 7);
    };
    copy(user_, 6);
    copy(group_, 3);
    copy(other_, 0);
    if (!user_) return NotationError{text_.size(), "the owner's entry u:: is missing"};
    if (!group_) return NotationError{text_.size(), "the group's entry g:: is missing"};
    if (!other_) return NotationError{text_.size(), "the others' entry o:: is missing"};
    if (!named_.empty() && !mask_) {
      mask_ = group_;
      for (const auto& [name, bits] : named_) mask_ = static_cast<std::uint8_t>(*mask_ | bits);
    }
    return DefaultAcl{*user_, *group_, *other_, mask_};
  }

  std::string_view text_;
  std::optional<std::uint8_t> user_, group_, other_, mask_;
  std::map<std::pair<Who, std::string>, std::uint8_t> named_;
};

}  // namespace

Parsed<DefaultAcl> parse_acl_text(std::string_view text, std::optional<Mode> directory) {
  return AclParser(text).parse(directory);
}

}  // namespace umaskaudit
