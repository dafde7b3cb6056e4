// Looks at what loaded objects ask for; see rings.h.

#include "preload/rings.h"

#include <link.h>
#include <sys/auxv.h>

#include <atomic>
#include <cstring>

#include "preload/blind_spot.h"
#include "preload/dynamic.h"
#include "preload/fs_context.h"
#include "preload/loaded_objects.h"

namespace umaskaudit::shim {

namespace {

constinit std::atomic<bool> told = false;

bool is_ring_library(const char* name) {
  constexpr char kName[] = "liburing.so";  // a number follows
  return strncmp(name, kName, sizeof kName - 1) == 0;
}

// The name by which it asks for the library, or null.
const char* needed_ring_library(std::uintptr_t bias, const ElfW(Dyn) * dynamic) {
  const char* strings = nullptr;
  if (dynamic == nullptr) return nullptr;
  for (const auto* entry = dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_STRTAB) {
      strings = reinterpret_cast<const char*>(address_of(bias, *entry));
    }
  }
  if (strings == nullptr) return nullptr;
  for (const auto* entry = dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_NEEDED && is_ring_library(strings + entry->d_un.d_val)) {
      return strings + entry->d_un.d_val;
    }
  }
  return nullptr;
}

void tell(const Author& author, std::uint32_t context, const char* name) {
  if (told.exchange(true)) return;
  const auto length = static_cast<std::uint32_t>(strnlen(name, trace::kMaxPath));
  report_blind_spot(author, trace::Blind::io_uring, Call::dlopen, context, 0, name, length);
}

void tell(const char* name) {
  const Task task = enter();
  tell({task.tid, task.pid}, context_id(task), name);
}

}  // namespace

void look_for_rings_at_start(const Author& author, std::uint32_t context) {
  LoadedObject program;
  // The program headers lie in the program (getauxval(3)).
  if (!find_object(getauxval(AT_PHDR), program)) return;
  const char* name = needed_ring_library(program.bias, program.dynamic);
  if (name != nullptr) tell(author, context, name);
}

void look_for_rings(std::uintptr_t bias, const ElfW(Dyn) * dynamic) {
  if (told.load(std::memory_order_relaxed)) return;
  if (const char* name = needed_ring_library(bias, dynamic)) tell(name);
}

void look_for_rings(const char* file) {
  if (file == nullptr || told.load(std::memory_order_relaxed)) return;
  const char* slash = strrchr(file, '/');
  if (is_ring_library(slash != nullptr ? slash + 1 : file)) tell(file);
}

}  // namespace umaskaudit::shim
