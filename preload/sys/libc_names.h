// Declares weak what not every libc has (musl, and glibc before 2.35); a plain reference would keep
// such a program from starting. libc_names.def is the list.
// Must be included by each file that uses one of these, and each use tests the address first.
#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/single_threaded.h>

extern "C" {
int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* object);
extern void* __libc_stack_end;  // where the kernel put argc (execve(2)); set before anything runs
}

#define UMASKAUDIT_PRAGMA(text) _Pragma(#text)
#define NEEDED(type, name)
#define OPTIONAL(type, name) UMASKAUDIT_PRAGMA(weak name)
#include "preload/sys/libc_names.def"
#undef NEEDED
#undef OPTIONAL
#undef UMASKAUDIT_PRAGMA

namespace umaskaudit::shim {

// musl has no such name.
inline bool is_glibc() { return &__libc_stack_end != nullptr; }

}  // namespace umaskaudit::shim
