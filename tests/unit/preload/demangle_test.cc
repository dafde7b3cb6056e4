// The names of C++ functions in the live log, against the demangler of libstdc++.
#include "preload/log/demangle.h"

#include <cxxabi.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include "preload/log/mangled.h"

namespace umaskaudit::shim {

namespace {

std::string named(std::string_view symbol, bool cut = false) {
  char room[1024];
  TextBuffer text(room, sizeof room);
  put_function_name(text, symbol.data(), symbol.size(), cut);
  return {text.begin(), text.length()};
}

std::string whole_name(const char* symbol) {
  int status = 0;
  char* whole = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string name = whole != nullptr ? whole : symbol;
  std::free(whole);
  return name.substr(0, name.find(" [clone "));
}

// The end of the brackets that open at `at`.
std::size_t closed(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '-' && text.substr(at, 2) == "->") {
      ++at;
    } else if (std::string_view("(<[{").find(c) != std::string_view::npos) {
      ++depth;
    } else if (std::string_view(")>]}").find(c) != std::string_view::npos && --depth == 0) {
      return at + 1;
    }
  }
  return at;
}

// The length of "operator<<", "operator new[]", "operator bool" at the begin of a text; 0: none.
std::size_t operator_length(std::string_view text) {
  constexpr std::string_view kWord = "operator";
  if (!text.starts_with(kWord) || text.size() == kWord.size()) return 0;
  const char next = text[kWord.size()];
  if (std::isalnum(static_cast<unsigned char>(next)) != 0 || next == '_') return 0;
  if (text.substr(kWord.size()).starts_with("()")) return kWord.size() + 2;
  std::size_t end = text.find('(', kWord.size());
  // The arguments of its template: "operator<< <int>(", "operator()<int>(".
  for (const std::string_view sign : {"<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<",
                                      ">", "new[]", "[]", "==", "+"}) {
    const std::size_t begin = kWord.size() + (std::isalpha(sign[0]) != 0 ? 1 : 0);
    if (text.substr(begin).starts_with(sign)) return begin + sign.size();
  }
  return std::min(end, text.size());
}

// The same without return type and parameters, and with "..." in what is between brackets.
std::string short_name(std::string_view whole) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)", kLambda = "{lambda(";
  std::string out;
  std::size_t begin = 0;  // after a return type
  for (std::size_t at = 0; at < whole.size();) {
    const std::string_view rest = whole.substr(at);
    if (rest.starts_with(kAnonymous)) {
      out += kAnonymous;
      at += kAnonymous.size();
    } else if (rest.starts_with(kLambda)) {
      const std::size_t end = closed(whole, at + kLambda.size() - 1);
      const std::size_t last = whole.find('}', end);
      out += end == at + kLambda.size() + 1 ? "{lambda()" : "{lambda(...)";
      out += whole.substr(end, last + 1 - end);
      at = last + 1;
    } else if (const std::size_t length = operator_length(rest); length != 0) {
      out += rest.substr(0, length);
      at += length;
      if (whole.substr(at).starts_with(" <")) out += whole[at++];
    } else if (rest.front() == '(') {
      at = whole.find("::", closed(whole, at));
      if (at == std::string_view::npos) break;
    } else if (rest.front() == '<') {
      at = closed(whole, at);
      out += "<...>";
    } else {
      out += whole[at++];
      if (out.ends_with(' ') && !std::string_view("non-virtual thunk to ").starts_with(out))
        begin = out.size();
    }
  }
  return out.substr(begin);
}

constexpr const char* kNames[] = {
#include "mangled_names.inc"
};

TEST(FunctionNames, AreThoseOfLibstdcxxShortened) {
  for (const char* symbol : kNames) EXPECT_EQ(named(symbol), short_name(whole_name(symbol)));
}

TEST(FunctionNames, HideArgumentsAndParameters) {
  EXPECT_EQ(named("_ZNK3cfg1R3getIiEEjT_"), "cfg::R::get<...>");
  EXPECT_EQ(named("_ZZN2ns4makeIiEEvT_ENKUlNSt7__cxx1112basic_stringIcEEE_clES3_"),
            "ns::make<...>::{lambda(...)#1}::operator()");
  // libstdc++ 12 leaves this one.
  EXPECT_EQ(named("_ZZZ5outerIiEvvENKUlvE_clEvENKUlDpT_E_clIJEEEDaS2_"),
            "outer<...>::{lambda()#1}::operator()::{lambda(...)#1}::operator()<...>");
}

TEST(FunctionNames, StayAsTheyAreWhereTheyAreNotUnderstood) {
  for (const char* symbol : {"",
                             "_",
                             "_Z",
                             "_ZN",
                             "_ZNE",
                             "_ZN3cf",
                             "_ZN99999999999999999999aE",
                             "_Z0",
                             "_ZNC1Ev",
                             "_ZN3cfgI",
                             "_ZN3cfgIXsr3foo3barEE1fEv",
                             "_ZN3cfgIDTcl1fEEE1fEv",
                             "_RNvCs1_3foo3bar",
                             "umask@plt",
                             "_ZNS_3fooE",
                             "_ZTV3foo",
                             "_ZN3fooUlvE",
                             "_ZN3fooUl",
                             "_ZZ4main",
                             "_ZZ4mainE",
                             "_ZZ4mainEs",
                             "_ZN3fooD9Ev",
                             "_Zcv",
                             "_ZNK3foocvT_IiEEv",
                             "_ZN3fooILi",
                             "_ZN3fooIA",
                             "_ZN3fooISE",
                             "_ZN3fooIL_ZE",
                             "_ZN3fooIDv4E",
                             "_ZN3fooIUE"}) {
    EXPECT_EQ(named(symbol), symbol);
  }
}

TEST(FunctionNames, OfNamesThatWereCutShowWhatIsThere) {
  EXPECT_EQ(named("_ZN3cfg3BoxISt6vectorINSt7__cxx1112basic_st", true), "cfg::Box<...>");
  EXPECT_EQ(named("_ZN3cfg3Bo", true), "cfg::");
  EXPECT_EQ(named("_ZN3cfg3BoxIXsr3foo", true), "_ZN3cfg3BoxIXsr3foo");
  EXPECT_EQ(named("_ZN", true), "_ZN");
}

TEST(FunctionNames, AreReadToTheirEndAndNoFurther) {
  for (const char* symbol : kNames) {
    const std::string_view whole = symbol;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      // A copy of that size, so that AddressSanitizer sees a byte too much.
      const std::string part(whole.substr(0, length));
      EXPECT_FALSE(named(std::string_view(part)).empty() && length != 0);
    }
  }
}

TEST(FunctionNames, OfDepthsThatNobodyWritesStayAsTheyAre) {
  std::string deep = "_ZN1a";
  for (int i = 0; i < 1000; ++i) deep += "I1a";
  for (int i = 0; i < 1000; ++i) deep += 'E';
  deep += "1fEv";
  EXPECT_EQ(named(deep), std::string(deep).substr(0, 1024));
}

}  // namespace

}  // namespace umaskaudit::shim
