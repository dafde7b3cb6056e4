// Parses UMASKAUDIT_OPTIONS; see options.h.

#include "preload/options.h"

#include <cstring>
#include <initializer_list>

namespace umaskaudit::shim {

namespace {

struct Word {
  const char* begin;
  unsigned length;

  bool is(const char* other) const {
    return strlen(other) == length && memcmp(begin, other, length) == 0;
  }
  // '-' and '_' in keys are equal: people write either.
  bool is_key(const char* other) const {
    if (strlen(other) != length) return false;
    for (unsigned i = 0; i < length; ++i) {
      const char c = begin[i] == '-' ? '_' : begin[i];
      if (c != other[i]) return false;
    }
    return true;
  }
};

bool parse(Word value, Text& out) {
  if (value.length >= Text::kSize) return false;
  memcpy(out.bytes, value.begin, value.length);
  out.bytes[value.length] = '\0';
  return true;
}

bool parse(Word value, std::uint64_t& out) {
  std::uint64_t number = 0;
  unsigned i = 0;
  for (; i < value.length && value.begin[i] >= '0' && value.begin[i] <= '9'; ++i) {
    if (number > (std::uint64_t{1} << 50)) return false;
    number = number * 10 + static_cast<unsigned>(value.begin[i] - '0');
  }
  if (i == 0) return false;
  if (i + 1 == value.length) {
    unsigned shift = 0;
    switch (value.begin[i]) {
      case 'K':
        shift = 10;
        break;
      case 'M':
        shift = 20;
        break;
      case 'G':
        shift = 30;
        break;
      default:
        return false;
    }
    if (number > UINT64_MAX >> shift) return false;
    number <<= shift;
    ++i;
  }
  if (i != value.length) return false;
  out = number;
  return true;
}

bool parse(Word value, bool& out) {
  for (const char* yes : {"yes", "1", "true", "on"}) {
    if (value.is(yes)) return out = true, true;
  }
  for (const char* no : {"no", "0", "false", "off"}) {
    if (value.is(no)) return out = false, true;
  }
  return false;
}

bool parse(Word value, Stacks& out) {
  if (value.is("all")) return out = Stacks::all, true;
  if (value.is("changes")) return out = Stacks::changes, true;
  if (value.is("none")) return out = Stacks::none, true;
  return false;
}

bool parse(Word value, Keep& out) {
  if (value.is("first")) return out = Keep::first, true;
  if (value.is("latest")) return out = Keep::latest, true;
  return false;
}

bool parse(Word value, LogEvents& out) {
  if (value.is("all")) return out = LogEvents::all, true;
  if (value.is("changes")) return out = LogEvents::changes, true;
  if (value.is("creations")) return out = LogEvents::creations, true;
  if (value.is("findings")) return out = LogEvents::findings, true;
  return false;
}

bool parse(Word value, LogFormat& out) {
  if (value.is("text")) return out = LogFormat::text, true;
  if (value.is("json")) return out = LogFormat::json, true;
  return false;
}

bool parse(Word value, Stop& out) {
  if (value.is("no")) return out = Stop::no, true;
  if (value.is("trap")) return out = Stop::trap, true;
  if (value.is("abort")) return out = Stop::abort, true;
  if (value.is("exit")) return out = Stop::exit, true;
  return false;
}

void parse_pair(Word key, Word value, Options& options, Complain complain) {
#define OPTION(type, name, initial, help)                              \
  if (key.is_key(#name)) {                                             \
    if (!parse(value, options.name))                                   \
      complain("bad value for " #name "=", value.begin, value.length); \
    return;                                                            \
  }
#include "preload/options.def"
#undef OPTION
  complain("unknown option", key.begin, key.length);
}

// strcspn(3) would touch two pages of libc, its code and its table, that no start has touched yet.
unsigned length_of_pair(const char* text) {
  unsigned length = 0;
  while (text[length] != '\0' && text[length] != ':') ++length;
  return length;
}

}  // namespace

bool Text::is(const char* other) const { return strcmp(bytes, other) == 0; }

void parse_options(const char* text, Options& options, Complain complain) {
  while (text != nullptr && *text != '\0') {
    const unsigned length = length_of_pair(text);
    const Word pair{text, length};
    const auto* equals = static_cast<const char*>(memchr(text, '=', length));
    if (equals != nullptr) {
      const auto key = static_cast<unsigned>(equals - text);
      parse_pair({text, key}, {equals + 1, length - key - 1}, options, complain);
    } else if (length != 0) {
      complain("option without a value", pair.begin, pair.length);
    }
    text += length;
    if (*text == ':') ++text;
  }
  if (options.depth < 1) options.depth = 1;
  if (options.depth > 64) options.depth = 64;
}

void describe_options(void (*line)(const char* name, const char* help)) {
#define OPTION(type, name, initial, help) line(#name, help);
#include "preload/options.def"
#undef OPTION
}

}  // namespace umaskaudit::shim
