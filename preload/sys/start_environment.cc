// Finds the environment before libc has; see start_environment.h.

#include "preload/sys/start_environment.h"

#include <unistd.h>

#include <cstring>

#include "preload/state.h"
#include "preload/sys/format_text.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/loaded_objects.h"

namespace umaskaudit::shim {

namespace {

struct Name {
  const char* begin;
  std::size_t length;
};

Name base_name(const char* path, std::size_t length) {
  const void* slash = memrchr(path, '/', length);
  const char* begin = slash != nullptr ? static_cast<const char*>(slash) + 1 : path;
  return {begin, length - static_cast<std::size_t>(begin - path)};
}

}  // namespace

// argc, the arguments, null, the environment, null (the ABI's "Process Initialization"). ld.so,
// when run as a command, removes its own arguments from the list but not from the stack.
char** start_arguments() {
  if (&__libc_stack_end == nullptr || __libc_stack_end == nullptr) return nullptr;
  return static_cast<char**>(__libc_stack_end) + 1;
}

char** start_environment() {
  if (environ != nullptr) return environ;
  char** entry = start_arguments();
  if (entry == nullptr) return nullptr;
  while (*entry != nullptr) ++entry;
  return entry + 1;
}

const char* start_variable(const char* name) {
  const std::size_t length = strlen(name);
  char** entry = start_environment();
  for (; entry != nullptr && *entry != nullptr; ++entry) {
    // A quick test: most variables begin with another letter.
    if (**entry != *name || strncmp(*entry, name, length) != 0) continue;
    if ((*entry)[length] == '=') return *entry + length + 1;
  }
  return nullptr;
}

// Only the last path component is compared: the loader searches for names without a slash, and
// expands $LIB and the like (ld.so(8)).
PreloadEntry own_preload_entry(const char* list) {
  LoadedObject self;
  if (list == nullptr) return {};
  if (!find_object(reinterpret_cast<std::uintptr_t>(&process), self) || self.path == nullptr) {
    return {};
  }
  // Linked into the program itself, as in the unit tests, the object has no name: then the
  // library's name is used.
  const char* path = self.path[0] != '\0' ? self.path : "libumaskaudit.so";
  const Name own = base_name(path, strlen(path));
  while (*list != '\0') {
    const std::size_t item = length_until(list, ':', ' ');
    const Name name = base_name(list, item);
    if (name.length != 0 && name.length == own.length &&
        memcmp(name.begin, own.begin, own.length) == 0) {
      return {list, item};
    }
    list += item;
    if (*list != '\0') ++list;
  }
  return {};
}

}  // namespace umaskaudit::shim
