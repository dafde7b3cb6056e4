// The grammar is that of the Itanium C++ ABI, "External Names (a.k.a. Mangling)".

#include "preload/log/demangle.h"

#include <cstring>

#include "preload/log/mangled.h"

namespace umaskaudit::shim {

namespace {

struct Operator {
  char code[3];
  char text[10];
};

constexpr Operator kOperators[] = {
    {"nw", " new"}, {"na", " new[]"}, {"dl", " delete"}, {"da", " delete[]"}, {"aw", " co_await"},
    {"ps", "+"},    {"ng", "-"},      {"ad", "&"},       {"de", "*"},         {"co", "~"},
    {"pl", "+"},    {"mi", "-"},      {"ml", "*"},       {"dv", "/"},         {"rm", "%"},
    {"an", "&"},    {"or", "|"},      {"eo", "^"},       {"aS", "="},         {"pL", "+="},
    {"mI", "-="},   {"mL", "*="},     {"dV", "/="},      {"rM", "%="},        {"aN", "&="},
    {"oR", "|="},   {"eO", "^="},     {"ls", "<<"},      {"rs", ">>"},        {"lS", "<<="},
    {"rS", ">>="},  {"eq", "=="},     {"ne", "!="},      {"lt", "<"},         {"gt", ">"},
    {"le", "<="},   {"ge", ">="},     {"ss", "<=>"},     {"nt", "!"},         {"aa", "&&"},
    {"oo", "||"},   {"pp", "++"},     {"mm", "--"},      {"cm", ","},         {"pm", "->*"},
    {"pt", "->"},   {"cl", "()"},     {"ix", "[]"},
};

struct Builtin {
  char code;
  char text[19];
};

constexpr Builtin kBuiltins[] = {
    {'v', "void"},
    {'w', "wchar_t"},
    {'b', "bool"},
    {'c', "char"},
    {'s', "short"},
    {'a', "signed char"},
    {'i', "int"},
    {'h', "unsigned char"},
    {'l', "long"},
    {'j', "unsigned int"},
    {'x', "long long"},
    {'t', "unsigned short"},
    {'f', "float"},
    {'d', "double"},
    {'e', "long double"},
    {'m', "unsigned long"},
    {'n', "__int128"},
    {'y', "unsigned long long"},
    {'o', "unsigned __int128"},
};

// Where a constructor follows, the class is named in full.
struct ShortName {
  char code;
  char text[13];
  char full[15];
};

constexpr ShortName kOfStd[] = {
    {'a', "allocator", "allocator"},   {'b', "basic_string", "basic_string"},
    {'s', "string", "basic_string"},   {'i', "istream", "basic_istream"},
    {'o', "ostream", "basic_ostream"}, {'d', "iostream", "basic_iostream"},
};

class Demangler {
 public:
  Demangler(Rest rest, TextBuffer& text) : rest_(rest), text_(text) {}

  // What is around a name comes first: a lambda of f() is "Z", f, its parameters, "E", the lambda.
  bool encoding() {
    if (!rest_.take("_Z")) return false;
    if (rest_.take("Th")) {  // by how much `this` is moved, and then the function
      rest_.take('n');
      while (rest_.next_is_digit()) ++rest_.at;
      if (!rest_.take('_')) return false;
      text_.put("non-virtual thunk to ");
    }
    unsigned around = 0;
    while (rest_.take('Z')) ++around;
    if (!name()) return false;
    for (; around != 0; --around) {
      if (!skip_to_end(rest_) || rest_.next_of("sd")) return false;
      text_.put("::");
      if (!name()) return false;
    }
    return true;
  }

  // Was all of the name read that there is?
  bool ran_out() const { return rest_.empty(); }

 private:
  bool name() {
    last_ = {};
    if (rest_.take('N')) return nested();
    rest_.take('L');  // of internal linkage
    if (rest_.take("St")) text_.put("std::");
    while (rest_.take('L')) {
    }
    if (!unqualified()) return false;
    return !rest_.next_of("I") || arguments();
  }

  bool arguments() {
    ++rest_.at;
    text_.put(after_less_ ? " <...>" : "<...>");
    after_less_ = false;
    return skip_to_end(rest_);
  }

  bool nested() {
    while (rest_.next_of("rVKROH")) ++rest_.at;
    if (rest_.next() == 'E') return false;
    for (bool first = true; !rest_.take('E'); first = false) {
      if (rest_.next() == 'I') {
        if (first || !arguments()) return false;
        continue;
      }
      // The initializer of a member, whose lambda follows.
      if (!first && rest_.take('M')) continue;
      if (!first) text_.put("::");
      if (first && rest_.next() == 'S') {
        if (!of_std()) return false;
      } else if (is_constructor()) {
        if (!constructor_or_destructor()) return false;
      } else {
        rest_.take('L');
        if (!unqualified()) return false;
      }
    }
    return true;
  }

  bool is_constructor() const {
    return (rest_.next() == 'C' || rest_.next() == 'D') && rest_.next_is_digit(1);
  }

  // The short forms of names of std. Which part of the name others stand for is not remembered.
  bool of_std() {
    ++rest_.at;
    if (rest_.take('t')) {
      text_.put("std");
      return true;
    }
    for (const ShortName& known : kOfStd) {
      if (!rest_.take(known.code)) continue;
      last_ = {known.full, strlen(known.full)};
      const bool is_template = strcmp(known.text, known.full) != 0;
      text_.put("std::").put(is_constructor() ? known.full : known.text);
      if (is_template && is_constructor()) text_.put("<...>");
      return true;
    }
    return false;
  }

  bool constructor_or_destructor() {
    const bool destroys = rest_.next() == 'D';
    ++rest_.at;
    if (last_.at == nullptr || rest_.next() > '5' || !rest_.next_is_digit()) return false;
    ++rest_.at;
    if (destroys) text_.put('~');
    put(last_);
    return tags();
  }

  bool unqualified() {
    after_less_ = false;
    if (rest_.next_is_digit()) {
      if (!source_name(rest_, last_)) return false;
      put(last_);
      discriminator();
      return tags();
    }
    last_ = {};
    if (rest_.next() == 'U') return unnamed();
    return operator_name() && tags();
  }

  // "[abi:cxx11]"
  bool tags() {
    Name tag;
    while (rest_.take('B')) {
      if (!source_name(rest_, tag)) return false;
      text_.put("[abi:").escaped(tag.at, tag.length).put(']');
    }
    return true;
  }

  // Which of the functions or types of one name in a function: nobody writes it.
  void discriminator() {
    if (rest_.next() == '_' && rest_.next_is_digit(1)) rest_.at += 2;
  }

  bool unnamed() {
    ++rest_.at;
    const char kind = rest_.next();
    if (!rest_.take('t') && !rest_.take('l')) return false;
    if (kind == 't') {
      text_.put("{unnamed type#");
    } else if (rest_.take("vE")) {
      text_.put("{lambda()#");
    } else {
      text_.put("{lambda(...)#");
      if (!skip_to_end(rest_)) return false;
    }
    unsigned number = 0;
    if (!ordinal(rest_, number)) return false;
    text_.decimal(number).put('}');
    return true;
  }

  bool operator_name() {
    if (rest_.take("cv")) return conversion();
    if (rest_.take("li")) {  // of a literal: 12_kb
      Name suffix;
      if (!source_name(rest_, suffix)) return false;
      text_.put("operator\"\" ");
      put(suffix);
      return true;
    }
    for (const Operator& known : kOperators) {
      if (!rest_.take(known.code)) continue;
      text_.put("operator").put(known.text);
      after_less_ = known.text[strlen(known.text) - 1] == '<';
      return true;
    }
    return false;
  }

  // "operator char const*": what is around a type comes first, and is written last.
  bool conversion() {
    constexpr unsigned kMost = 6;
    char around[kMost];
    unsigned count = 0;
    while (rest_.next_of("PROK")) {
      if (count == kMost) return false;
      around[count++] = *rest_.at++;
    }
    text_.put("operator ");
    if (!type_name()) return false;
    while (count != 0) {
      const char c = around[--count];
      text_.put(c == 'K' ? " const" : c == 'P' ? "*" : c == 'R' ? "&" : "&&");
    }
    return true;
  }

  // A built-in type, or a class that is not nested in another.
  bool type_name() {
    for (const Builtin& known : kBuiltins) {
      if (!rest_.take(known.code)) continue;
      text_.put(known.text);
      return true;
    }
    if (rest_.take("St")) text_.put("std::");
    Name name;
    if (!source_name(rest_, name)) return false;
    put(name);
    // What follows may be the type's or the operator's.
    return rest_.next() != 'I';
  }

  void put(const Name& name) {
    constexpr char kAnonymous[] = "_GLOBAL__N";
    constexpr std::size_t kLength = sizeof kAnonymous - 1;
    if (name.length >= kLength && memcmp(name.at, kAnonymous, kLength) == 0) {
      text_.put("(anonymous namespace)");
    } else {
      text_.escaped(name.at, name.length);
    }
  }

  Rest rest_;
  TextBuffer& text_;
  Name last_;  // the part before, if a constructor could be named by it
  bool after_less_ = false;
};

}  // namespace

void put_function_name(TextBuffer& text, const char* name, std::size_t length, bool cut) {
  const TextBuffer before = text;
  Demangler demangler({name, name + length}, text);
  if (demangler.encoding()) return;
  if (cut && demangler.ran_out() && text.length() != before.length()) return;
  text = before;
  text.escaped(name, length);
}

}  // namespace umaskaudit::shim
