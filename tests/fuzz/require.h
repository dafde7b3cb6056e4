// How a fuzzer says that a promise was broken.
// Must never return then: libFuzzer keeps the input of a process that aborts.
// Used by all fuzzers.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace umaskaudit::testing {

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// Reads every byte that a view names.
inline void touch(std::string_view text) {
  const volatile char* bytes = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) static_cast<void>(bytes[i]);
}

}  // namespace umaskaudit::testing
