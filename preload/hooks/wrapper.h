// Macros that define a wrapper: a C++ name of our own, and libc's name for the linker. libc's
// headers declare the same functions with other types (variadic, nonnull, noexcept), so the C++
// names must differ.
#pragma once

#include "preload/sys/real.h"

#define UMASKAUDIT_EXPORT extern "C" __attribute__((visibility("default")))

#define WRAPPER(ret, name, parameters)                               \
  UMASKAUDIT_EXPORT ret umaskaudit_##name parameters __asm__(#name); \
  ret umaskaudit_##name parameters

// The next definition, with the type of our wrapper.
#define REAL(name)                                 \
  (reinterpret_cast<decltype(&umaskaudit_##name)>( \
      ::umaskaudit::shim::real_function(::umaskaudit::shim::Call::name)))
