// Names and patterns of the live log. What is not understood must stay as it is. Run by meson.

#include <gtest/gtest.h>

#include <cxxabi.h>
#include <fnmatch.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "preload/log/demangle.h"
#include "preload/log/line_choice.h"

namespace umaskaudit::shim {

namespace {

std::string named(const std::string& symbol) {
  char room[1024];
  TextBuffer text(room, sizeof room);
  put_function_name(text, symbol.data(), symbol.size());
  return {text.begin(), text.length()};
}

// What libstdc++ says, without the parameters.
std::string name_by_libstdcxx(const char* symbol) {
  int status = 0;
  char* whole = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string name = whole != nullptr ? whole : symbol;
  std::free(whole);
  const std::size_t after = name.starts_with("(anonymous") ? name.find("::") : 0;
  return name.substr(0, name.find('(', after));
}

TEST(FunctionNames, AreThoseOfTheProgrammer) {
  for (const char* symbol :
       {"_ZN3cfg10read_umaskEv", "_Z4saveRKNSt7__cxx1112basic_stringIcEE",
        "_ZN12_GLOBAL__N_14anonEv", "_ZN3cfg1RC2Ev", "_ZN3cfg1RD1Ev", "_ZNK3cfg1R3getEv",
        "_ZL6toggleb", "_ZN3cfgL6toggleEb", "main", "_ZNSt6thread4joinEv"}) {
    EXPECT_EQ(named(symbol), name_by_libstdcxx(symbol));
  }
  EXPECT_EQ(named("_ZNK3cfg1R3getIiEEjT_"), "cfg::R::get<...>");
  EXPECT_EQ(named("_Z3getIN3cfg1REiEvv"), "get<...>");
}

TEST(FunctionNames, StayAsTheyAreWhereTheyAreNotUnderstood) {
  for (const char* symbol : {"", "_", "_Z", "_ZN", "_ZNE", "_ZN3cf", "_ZN99999999999999999999aE",
                             "_Z0", "_ZNC1Ev", "_ZZ4mainENKUlvE_clEv", "_ZN3cfgI", "_ZplRK1RS1_",
                             "_ZN3cfgIS_E1fEv", "_RNvCs1_3foo3bar", "umask@plt"}) {
    EXPECT_EQ(named(symbol), symbol);
  }
}

TEST(Patterns, MatchAsFnmatchDoes) {
  for (const char* pattern : {"", "*", "?", "a", "a*", "*a", "*a*b", "/srv/*", "*.key", "a?c", "**",
                              "a*a*a*b", "*/out/49?"}) {
    for (const char* path : {"", "a", "b", "abc", "/srv/x/y.key", "/srv", "aaaaaaaaaaaaaaaaaaaac",
                             "aXaXaXb", "/tmp/out/490", "/tmp/out/49"}) {
      EXPECT_EQ(matches(pattern, path, static_cast<std::uint32_t>(strlen(path))),
                fnmatch(pattern, path, 0) == 0)
          << pattern << ' ' << path;
    }
  }
}

TEST(Repeats, GetALineEverMoreSeldom) {
  std::vector<std::uint64_t> told;
  for (std::uint64_t times = 1; times <= 2000; ++times)
    if (is_told(times)) told.push_back(times);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 10, 100, 1000}));
}

}  // namespace

}  // namespace umaskaudit::shim
