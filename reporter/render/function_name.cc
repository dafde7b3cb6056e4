// Names of C++ are cut by counting brackets, as both compilers and both demanglers write them.
#include "reporter/render/function_name.h"

#include <cctype>
#include <cstddef>
#include <string_view>

namespace umaskaudit::render {
namespace {

constexpr std::string_view kOperator = "operator";
constexpr std::size_t kLongest = 4096;  // brackets that are never closed cost the square
constexpr std::size_t npos = std::string_view::npos;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

// Is what stands behind `before` the name of an operator, as in "operator<<" and "operator->"?
bool names_operator(std::string_view before, bool round = false) {
  while (!round && !before.empty() &&
         (before.back() == '<' || before.back() == '>' || before.back() == '-'))
    before.remove_suffix(1);
  if (!before.ends_with(kOperator)) return false;
  before.remove_suffix(kOperator.size());
  return before.empty() || !is_word(before.back());
}

// Where the bracket at `at` is closed; npos: never.
std::size_t end_of(std::string_view name, std::size_t at) {
  int depth = 0;
  for (; at < name.size(); ++at) {
    const char c = name[at];
    if (c == '>' && at > 0 && (name[at - 1] == '-' || names_operator(name.substr(0, at)))) continue;
    if (c == '(' || c == '<' || c == '{' || c == '[') ++depth;
    if ((c == ')' || c == '>' || c == '}' || c == ']') && --depth == 0) return at;
  }
  return npos;
}

// "read(int) const" -> "read"; not "(anonymous namespace)", nor "operator()".
std::string_view without_parameters(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    if (c != '(' && c != '<' && c != '{') continue;
    const std::string_view before = name.substr(0, at);
    if (names_operator(before, c == '(')) {
      at += c == '(' ? 1 : 0;  // operator()
      continue;
    }
    const std::size_t end = end_of(name, at);
    if (end == npos) return name;
    const bool scope = name.substr(end + 1).starts_with("::");
    if (c == '(' && !scope && at > 0 && name[at - 1] != ':') return before;
    // "f(int)::{lambda()#1}": parameters of the function around it.
    at = end;
  }
  return name;
}

// "Cache<int, char>::put" -> "Cache<...>::put"; parameters of what is around a lambda go, too.
std::string without_arguments(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    const bool bracket = c == '<' || c == '(';
    const std::size_t end =
        bracket && at > 0 && is_word(name[at - 1]) && !names_operator(name.substr(0, at), c == '(')
            ? end_of(name, at)
            : npos;
    if (end == npos) {
      out += c;
      continue;
    }
    if (c == '<') out += "<...>";
    at = end;
  }
  return out;
}

// "{lambda(int)#1}", "<lambda(int)>" -> "{lambda#1}", "{lambda}".
void name_lambdas(std::string& name) {
  for (const std::string_view begin : {"{lambda(", "<lambda("}) {
    for (std::size_t at = 0; (at = name.find(begin, at)) != npos; ++at) {
      const std::size_t end = end_of(name, at), close = end_of(name, at + begin.size() - 1);
      if (end == npos || close == npos || close > end) break;
      const std::string number = name.substr(close + 1, end - close - 1);
      name.replace(at, end - at + 1, "{lambda" + number + '}');
    }
  }
  static constexpr std::string_view kCall = "}::operator()";
  if (name.ends_with(kCall)) name.resize(name.size() - kCall.size() + 1);
}

// "void f" -> "f"; a blank inside brackets or behind "operator" is part of the name.
std::string_view without_type(std::string_view name) {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    if ((c == '(' || c == '<' || c == '{') && !names_operator(name.substr(0, at), c == '(')) {
      const std::size_t end = end_of(name, at);
      if (end == npos) break;
      at = end;
    } else if (c == ' ') {
      if (names_operator(name.substr(0, at))) break;
      begin = at + 1;
    }
  }
  return begin < name.size() ? name.substr(begin) : name;
}

}  // namespace

std::string function_name(const symbolize::Frame& frame) {
  const std::string_view symbol = frame.symbol;
  const std::string& language = frame.language;
  const bool foreign = !language.empty() && language != "C" && language != "C++";
  if (frame.script || foreign || symbol.find_first_of("(<") == npos) return frame.symbol;
  if (symbol.size() > kLongest) return frame.symbol;
  // Where the language is not known: methods of Go and of Rust have their type in brackets.
  if (symbol.starts_with('<') || symbol.find(".(*") != npos) return frame.symbol;
  std::string name(without_type(without_parameters(symbol)));
  name_lambdas(name);
  return without_arguments(name);
}

}  // namespace umaskaudit::render
