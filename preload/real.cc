// Resolves the REAL pointers; see real.h.

#include "preload/real.h"

#include <dlfcn.h>

#include <cstring>

namespace umaskaudit::shim {

const char kCallNames[] =
#define ROW(shape, ret, name, ...) #name "\0"
#include "preload/interceptors.def"
#undef ROW
    ;
const unsigned kCallNamesBytes = sizeof kCallNames - 1;

constinit std::atomic<void*> real_functions[kCalls] = {};

void* old_spawn_functions[2] = {};

const char* call_name(Call call) {
  const char* name = kCallNames;
  for (unsigned skip = static_cast<unsigned>(call); skip > 0; --skip) name += strlen(name) + 1;
  return name;
}

namespace {

void* next_definition(const char* name) { return dlsym(RTLD_NEXT, name); }

}  // namespace

void* resolve_one(Call call) {
  void* function = next_definition(call_name(call));
  real_functions[static_cast<unsigned>(call)].store(function, std::memory_order_relaxed);
  return function;
}

void resolve_all() {
#if defined(__x86_64__)  // the other architecture is younger than the change
  old_spawn_functions[0] = dlvsym(RTLD_NEXT, "posix_spawn", kOldSpawnVersion);
  old_spawn_functions[1] = dlvsym(RTLD_NEXT, "posix_spawnp", kOldSpawnVersion);
#endif
  const char* name = kCallNames;
  for (auto& slot : real_functions) {
    if (slot.load(std::memory_order_relaxed) == nullptr) {
      slot.store(next_definition(name), std::memory_order_relaxed);
    }
    name += strlen(name) + 1;
  }
}

}  // namespace umaskaudit::shim
