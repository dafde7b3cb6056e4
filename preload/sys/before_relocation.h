// The next definition of a function, found while this library itself is not relocated yet: the
// loader relocates the libraries behind us first, and the resolver of an IFUNC in one of them may
// call a wrapped function then (dl-reloc.c of glibc).
// Must never use a symbol of libc, thread-local storage or a table of addresses: all of these go
// through places that the loader has not filled in. Called by start() and resolve_one().
#pragma once

#include "preload/sys/real.h"

namespace umaskaudit::shim {

bool is_relocated();

// Valid for the current call only: nothing is cached. Null where the loader's list cannot be found
// (ld.so was started as a command).
[[gnu::cold]] void* find_before_relocation(Call call);

}  // namespace umaskaudit::shim
