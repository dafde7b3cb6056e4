// System calls made without libc. Included by the victims that make them.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

namespace inlined {

// The number is a constant where this is inlined.
[[gnu::always_inline]] inline long call(long number, long a, long b, long c) {
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

inline long mkdirat(const char* path) {
  return call(SYS_mkdirat, AT_FDCWD, reinterpret_cast<long>(path), 0750);
}

}  // namespace inlined
