// The next definition of each wrapped function: libc's, or another preload's in front of it.
// Must never bind lazily once the program runs: dlsym(3) takes the loader's lock. Only calls that
// come before our constructor resolve one by one.
// Called by every wrapper.
#pragma once

#include <atomic>
#include <cstdint>

namespace umaskaudit::shim {

// One number for each row, in table order; the field `call` of a trace record.
enum class Call : std::uint16_t {
#define ROW(shape, ret, name, ...) name,
#include "preload/interceptors.def"
#undef ROW
  count_
};
inline constexpr unsigned kCalls = static_cast<unsigned>(Call::count_);

// NUL-terminated names in table order, and their total size. Hidden in the declaration too, so that
// code reaches them without a relocation.
[[gnu::visibility("hidden")]] extern const char kCallNames[];
extern const unsigned kCallNamesBytes;
const char* call_name(Call call);

extern std::atomic<void*> real_functions[kCalls];

// The old versions of posix_spawn and posix_spawnp, for programs linked before glibc 2.15: they
// pass a file that is no program to sh, as execvp(3) does. Null where libc has no such version.
inline constexpr char kOldSpawnVersion[] = "GLIBC_2.2.5";
extern void* old_spawn_functions[2];

// Fills every pointer. Not async-signal-safe, idempotent.
void resolve_all();
// Resolves one and returns it. For a function that this libc lacks: one that fails with ENOSYS.
[[gnu::cold]] void* resolve_one(Call call);

inline void* real_function(Call call) {
  void* function = real_functions[static_cast<unsigned>(call)].load(std::memory_order_relaxed);
  return __builtin_expect(function != nullptr, 1) ? function : resolve_one(call);
}

}  // namespace umaskaudit::shim
