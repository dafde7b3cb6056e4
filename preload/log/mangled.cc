// The grammar is that of the Itanium C++ ABI, "External Names (a.k.a. Mangling)". Everything that
// nests has a letter that opens it and an E that ends it, and all else says by itself how long it
// is: so a list of what is open is enough, where a parser would call itself.

#include "preload/log/mangled.h"

namespace umaskaudit::shim {

namespace {

constexpr unsigned kDepth = 48;

// What is open, and so how the next letters are read.
enum class In : char {
  types,       // types and arguments: of a template, a function, a pack, a signature
  signature,   // of a lambda: its number follows the E
  nested,      // the parts of a nested name
  local,       // a function with parameters: what is in it follows the E
  literal,     // the type of a value
  value,       // the value itself
  expression,  // the address of a function, or a value
};

class Skipper {
 public:
  explicit Skipper(Rest& rest) : rest_(rest) { open(In::types); }

  bool run() {
    while (depth_ != 0 && !failed_) {
      if (rest_.empty()) return false;
      if (rest_.take('E')) {
        close();
      } else {
        step();
      }
    }
    return !failed_;
  }

 private:
  In inside() const { return open_[depth_ - 1]; }
  void become(In what) { open_[depth_ - 1] = what; }
  void fail_unless(bool understood) { failed_ = failed_ || !understood; }
  void open(In what) {
    fail_unless(depth_ < kDepth);
    if (!failed_) open_[depth_++] = what;
  }

  void close() {
    const In closed = inside();
    --depth_;
    unsigned number = 0;
    if (closed == In::signature) fail_unless(ordinal(rest_, number));
    // The type of a value is not complete yet.
    if (closed == In::literal) failed_ = true;
    // A text, or the parameter in whose default it is, has no name that could be read.
    if (closed == In::local) fail_unless(!rest_.next_of("sd"));
  }

  void step() {
    switch (inside()) {
      case In::types:
      case In::signature:
      case In::local:
        return type();
      case In::nested:
        return part();
      case In::literal:
        return literal();
      case In::value:
        // A floating number is hexadecimal.
        if (rest_.next_is_digit() || rest_.next_of("nabcdef_")) {
          ++rest_.at;
        } else {
          failed_ = true;
        }
        return;
      case In::expression:
        if (rest_.take("ad")) return;
        if (rest_.take('L')) return open_literal();
        failed_ = true;
        return;
    }
  }

  void open_literal() {
    if (rest_.take("_Z")) return open_encoding();
    open(In::literal);
  }

  // A function where a value may be: its name is read like a type, and its parameters are types.
  void open_encoding() {
    rest_.take('L');
    open(In::types);
  }

  // One letter or word of a type, or of an argument.
  void type() {
    Name name;
    if (rest_.next_is_digit()) {
      fail_unless(source_name(rest_, name));
      discriminator();
    } else if (rest_.next_of("vwbcahstijlmxynofdegzPROKVrCG")) {
      ++rest_.at;
    } else if (rest_.next_of("SDTAUFMNIJLXZY")) {
      word();
    } else {
      failed_ = true;
    }
  }

  void word() {
    const char c = *rest_.at;
    if (c == 'S') return substitution();
    if (c == 'U') return unnamed();
    ++rest_.at;
    switch (c) {
      case 'D':
        return d_type();
      case 'T':
        return parameter();
      case 'A':
        return array();
      case 'M':
      case 'Y':
        return;
      case 'N':
        return open_nested();
      case 'L':
        return open_literal();
      case 'X':
        return open(In::expression);
      case 'Z':
        return open(In::local);
      default:  // F, I, J
        return open(In::types);
    }
  }

  void open_nested() {
    while (rest_.next_of("rVKRO")) ++rest_.at;
    open(In::nested);
  }

  // S_, S0_, St, Sa and the like.
  void substitution() {
    ++rest_.at;
    if (rest_.next_of("tabsiod")) {
      ++rest_.at;
      return;
    }
    while (rest_.next_is_digit() || (rest_.next() >= 'A' && rest_.next() <= 'Z')) ++rest_.at;
    fail_unless(rest_.take('_'));
  }

  // T_, T0_.
  void parameter() {
    while (rest_.next_is_digit()) ++rest_.at;
    fail_unless(rest_.take('_'));
  }

  // A5_i; an expression for a length is not understood.
  void array() { parameter(); }

  void d_type() {
    if (rest_.next_of("defhisuacnpo")) {
      ++rest_.at;
    } else if (rest_.take('v') || rest_.take('F')) {  // Dv4_f, DF16_, DF16b
      while (rest_.next_is_digit()) ++rest_.at;
      fail_unless(rest_.take('_') || rest_.take('b') || rest_.take('x'));
    } else {
      failed_ = true;  // decltype
    }
  }

  // Lambdas, types without a name; U before a name is a qualifier of the compiler's maker.
  void unnamed() {
    ++rest_.at;
    unsigned number = 0;
    if (rest_.take('t')) {
      fail_unless(ordinal(rest_, number));
    } else if (rest_.take('l')) {
      open(In::signature);
    } else {
      fail_unless(rest_.next_is_digit());
    }
  }

  // Which of the entities of that name in one function: _0, or __10_.
  void discriminator() {
    if (rest_.next() != '_') return;
    if (rest_.next_is_digit(1)) {
      rest_.at += 2;
    } else if (rest_.next(1) == '_' && rest_.next_is_digit(2)) {
      rest_.at += 2;
      while (rest_.next_is_digit()) ++rest_.at;
      fail_unless(rest_.take('_'));
    }
  }

  // One part of a nested name.
  void part() {
    Name name;
    if (rest_.next_is_digit()) return fail_unless(source_name(rest_, name));
    const char c = rest_.next();
    if (c == 'S') return substitution();
    if (c == 'U') return unnamed();
    ++rest_.at;
    if (c == 'I') return open(In::types);
    if (c == 'T') return parameter();
    if (c == 'M') return;  // the member whose initializer has a lambda
    if (c == 'L' || c == 'B') return fail_unless(rest_.next_is_digit());
    if (c == 'C' || c == 'D') {
      fail_unless(rest_.next_is_digit());
      if (!failed_) ++rest_.at;
    } else {
      // An operator, but for a conversion, whose type would follow.
      const bool is_operator = c >= 'a' && c <= 'z' && !(c == 'c' && rest_.next() == 'v') &&
                               rest_.next_of("abcdefghijklmnopqrstuvwxyzSLIMDVRAONE");
      fail_unless(is_operator);
      if (!failed_) ++rest_.at;
    }
  }

  // The type of a value, of which the end must be known.
  void literal() {
    Name name;
    if (rest_.next_of("PROKV")) {
      ++rest_.at;
    } else if (rest_.next_is_digit()) {
      become(In::value);
      fail_unless(source_name(rest_, name));
    } else if (rest_.next_of("wbcahstijlmxynofdeg")) {
      become(In::value);
      ++rest_.at;
    } else if (rest_.take('D')) {
      become(In::value);
      d_type();
    } else if (rest_.take('N')) {
      become(In::value);
      open_nested();
    } else if (rest_.next() == 'S' && rest_.next(1) != 't') {
      become(In::value);
      substitution();
    } else if (rest_.take("St")) {  // the name follows
    } else {
      failed_ = true;
    }
  }

  Rest& rest_;
  unsigned depth_ = 0;
  bool failed_ = false;
  In open_[kDepth];
};

}  // namespace

bool source_name(Rest& rest, Name& name) {
  std::size_t length = 0;
  if (!rest.next_is_digit() || rest.next() == '0') return false;
  while (rest.next_is_digit()) {
    length = length * 10 + static_cast<std::size_t>(*rest.at++ - '0');
    if (length > static_cast<std::size_t>(rest.end - rest.at)) {
      rest.at = rest.end;
      return false;
    }
  }
  name = {rest.at, length};
  rest.at += length;
  return true;
}

bool ordinal(Rest& rest, unsigned& value) {
  value = 1;
  if (rest.next_is_digit()) {
    value = 2;
    unsigned number = 0;
    while (rest.next_is_digit() && number < 100000) {
      number = number * 10 + static_cast<unsigned>(*rest.at++ - '0');
    }
    value += number;
  }
  return rest.take('_');
}

bool skip_to_end(Rest& rest) { return Skipper(rest).run(); }

}  // namespace umaskaudit::shim
