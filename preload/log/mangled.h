// Reads the parts of a mangled C++ name that are not shown: types, and arguments of templates.
// Must never take memory or recurse: what nests deeper than kDepth is not understood.
#pragma once

#include <cstddef>
#include <cstring>

namespace umaskaudit::shim {

// What is left of a name; it does not end with a NUL.
struct Rest {
  const char* at;
  const char* end;

  bool empty() const { return at == end; }
  char next(std::size_t ahead = 0) const {
    return ahead < static_cast<std::size_t>(end - at) ? at[ahead] : '\0';
  }
  bool next_is_digit(std::size_t ahead = 0) const {
    return next(ahead) >= '0' && next(ahead) <= '9';
  }
  bool take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  bool take(const char* word) {
    const std::size_t length = strlen(word);
    if (static_cast<std::size_t>(end - at) < length || memcmp(at, word, length) != 0) return false;
    at += length;
    return true;
  }
  // Is the next byte one of these?
  bool next_of(const char* set) const { return next() != '\0' && strchr(set, next()) != nullptr; }
};

struct Name {
  const char* at = nullptr;
  std::size_t length = 0;
};

// <source-name>: its length in decimal digits, then as many bytes. False: there is none, or it was
// cut, and then nothing is left.
bool source_name(Rest& rest, Name& name);

// The <number> of a lambda or a discriminator, up to its underscore: "_" is 1, "0_" is 2.
bool ordinal(Rest& rest, unsigned& value);

// Skips types, or arguments of a template, and the E that ends them. False: not understood.
bool skip_to_end(Rest& rest);

}  // namespace umaskaudit::shim
