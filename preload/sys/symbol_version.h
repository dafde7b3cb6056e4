// Finds out which version of a libc function the calling code was linked against. Our exports have
// no versions, so every version of a name binds to them; where two versions behave differently, the
// caller's object decides. Must never take the loader's lock.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// True when the object that `caller` (a return address) lies in binds `name` to `version`, and to
// no other. False as well for generated code, and where the function was found by dlsym(3).
bool binds_to_version(std::uintptr_t caller, const char* name, const char* version);

}  // namespace umaskaudit::shim
