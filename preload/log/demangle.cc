// The grammar is that of the Itanium C++ ABI, "External Names (a.k.a. Mangling)".

#include "preload/log/demangle.h"

#include <cstring>

namespace umaskaudit::shim {

namespace {

struct Rest {
  const char* at;
  const char* end;

  bool empty() const { return at == end; }
  char next() const { return at < end ? *at : '\0'; }
  bool take(char c) {
    if (next() != c) return false;
    ++at;
    return true;
  }
  bool take(const char* word) {
    const std::size_t length = strlen(word);
    if (static_cast<std::size_t>(end - at) < length || memcmp(at, word, length) != 0) return false;
    at += length;
    return true;
  }
};

struct Name {
  const char* at = nullptr;
  std::size_t length = 0;
};

// <source-name> ::= <positive length number> <identifier>
bool source_name(Rest& rest, Name& name) {
  std::size_t length = 0;
  if (rest.next() < '1' || rest.next() > '9') return false;
  while (rest.next() >= '0' && rest.next() <= '9') {
    length = length * 10 + static_cast<std::size_t>(*rest.at++ - '0');
    if (length > static_cast<std::size_t>(rest.end - rest.at)) return false;
  }
  if (length > static_cast<std::size_t>(rest.end - rest.at)) return false;
  name = {rest.at, length};
  rest.at += length;
  return true;
}

bool is_anonymous(const Name& name) {
  constexpr char kPrefix[] = "_GLOBAL__N";
  return name.length >= sizeof kPrefix - 1 && memcmp(name.at, kPrefix, sizeof kPrefix - 1) == 0;
}

void put_name(TextBuffer& text, const Name& name) {
  if (is_anonymous(name)) {
    text.put("(anonymous namespace)");
  } else {
    text.escaped(name.at, name.length);
  }
}

// Skips the arguments of a template up to the E that ends them; they are not shown. Only arguments
// that can be skipped without being parsed: names, and letters for built-in types.
bool template_arguments(Rest& rest) {
  unsigned depth = 1;
  while (depth != 0) {
    Name skipped;
    const char c = rest.next();
    if (c == 'E') {
      --depth;
      ++rest.at;
    } else if (c == 'I' || c == 'N') {
      ++depth;
      ++rest.at;
    } else if (c >= '1' && c <= '9') {
      if (!source_name(rest, skipped)) return false;
    } else if (strchr("abcdefhijlmnostvwxyzPRKO", c) != nullptr && c != '\0') {
      ++rest.at;
    } else if (rest.take("St")) {
      continue;
    } else {
      return false;
    }
  }
  return true;
}

// Parses <unqualified-name>s up to the E of a <nested-name>.
bool nested_name(Rest& rest, TextBuffer& text) {
  while (rest.next() == 'K' || rest.next() == 'V' || rest.next() == 'r') ++rest.at;
  Name last;
  if (rest.next() == 'E') return false;
  for (bool first = true; !rest.take('E'); first = false) {
    if (rest.take('I')) {
      if (first || !template_arguments(rest)) return false;
      text.put("<...>");
      continue;
    }
    if (!first) text.put("::");
    if (first && rest.take("St")) {
      text.put("std");
      continue;
    }
    if (rest.take("C1") || rest.take("C2") || rest.take("D0") || rest.take("D1") ||
        rest.take("D2")) {
      if (last.at == nullptr) return false;
      if (rest.at[-2] == 'D') text.put('~');
      put_name(text, last);
      continue;
    }
    rest.take('L');  // of internal linkage
    if (!source_name(rest, last)) return false;
    put_name(text, last);
  }
  return true;
}

bool encoding(Rest rest, TextBuffer& text) {
  if (!rest.take("_Z")) return false;
  if (rest.take('N')) return nested_name(rest, text);
  rest.take('L');
  Name name;
  if (rest.take("St")) text.put("std::");
  if (!source_name(rest, name)) return false;
  put_name(text, name);
  if (!rest.take('I')) return true;
  text.put("<...>");
  return template_arguments(rest);
}

}  // namespace

void put_function_name(TextBuffer& text, const char* name, std::size_t length) {
  const TextBuffer before = text;
  if (encoding({name, name + length}, text)) return;
  text = before;
  text.escaped(name, length);
}

}  // namespace umaskaudit::shim
