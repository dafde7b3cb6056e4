// Reads the names of the libraries that loaded objects need; see liburing_probe.h.

#include "preload/process/liburing_probe.h"

#include <link.h>
#include <sys/auxv.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/sys/dynamic.h"
#include "preload/sys/loaded_objects.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

using Entry = ElfW(Dyn);
using Tag = ElfW(Sxword);

struct RingSpace {
  Entry entries[8];
  char name[32];
};

constinit std::atomic<bool> reported = false;

bool is_ring_library(const char* name) {
  constexpr char kName[] = "liburing.so";  // a number follows
  return strncmp(name, kName, sizeof kName - 1) == 0;
}

// The name by which an object needs liburing. Its dynamic section is copied before it is read:
// pages may be unreadable, and another thread may unload the object. The copies are in `space`,
// because the stack may be small.
class NeededRingLibrary {
 public:
  NeededRingLibrary(RingSpace& space, std::uintptr_t bias, const Entry* dynamic)
      : name_(space.name) {
    name_[0] = '\0';
    std::uintptr_t strings = 0;
    each(space, dynamic, DT_STRTAB, [&](const Entry& entry) {
      strings = address_of(bias, entry);
      return true;
    });
    if (strings == 0) return;
    each(space, dynamic, DT_NEEDED, [&](const Entry& entry) {
      const auto* name = reinterpret_cast<const char*>(strings + entry.d_un.d_val);
      const long copied = sys::copy_memory(name_, name, sizeof space.name - 1);
      name_[copied > 0 ? copied : 0] = '\0';
      return is_ring_library(name_);
    });
    if (!is_ring_library(name_)) name_[0] = '\0';
  }
  // Null: it does not need it.
  const char* name() const { return name_[0] != '\0' ? name_ : nullptr; }

 private:
  // Visits entries until `enough` returns true.
  template <typename Enough>
  static void each(RingSpace& space, const Entry* dynamic, Tag tag, Enough enough) {
    constexpr unsigned kMost = 512;  // of a section without an end
    if (dynamic == nullptr) return;
    auto& entries = space.entries;
    constexpr unsigned kAtOnce = sizeof entries / sizeof entries[0];
    for (unsigned i = 0; i < kMost; ++i) {
      if (i % kAtOnce == 0) {
        const long copied = sys::copy_memory(entries, dynamic + i, sizeof entries);
        if (copied < static_cast<long>(sizeof entries[0])) return;
        memset(reinterpret_cast<char*>(entries) + copied, 0,
               sizeof entries - static_cast<std::size_t>(copied));
      }
      const Entry& entry = entries[i % kAtOnce];
      if (entry.d_tag == DT_NULL || (entry.d_tag == tag && enough(entry))) return;
    }
  }

  char* name_;
};

void tell(const Author& author, std::uint32_t context, const char* name) {
  if (reported.exchange(true)) return;
  const auto length = static_cast<std::uint32_t>(strnlen(name, trace::kMaxPath));
  report_blind_spot(author, trace::Blind::io_uring, Call::dlopen, context, 0, name, length);
}

void tell(const char* name) {
  const Task task = enter();
  tell({task.tid, task.pid}, context_id(task), name);
}

}  // namespace

// The main program is never unloaded: its tables are read in place.
void probe_liburing_at_start(const Author& author, std::uint32_t context) {
  LoadedObject program;
  // The program headers are in the program (getauxval(3)).
  if (!find_object(getauxval(AT_PHDR), program) || program.dynamic == nullptr) return;
  const char* strings = nullptr;
  for (const Entry* entry = program.dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag != DT_STRTAB) continue;
    strings = reinterpret_cast<const char*>(address_of(program.bias, *entry));
  }
  if (strings == nullptr) return;
  for (const Entry* entry = program.dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag != DT_NEEDED || !is_ring_library(strings + entry->d_un.d_val)) continue;
    return tell(author, context, strings + entry->d_un.d_val);
  }
}

void probe_liburing(std::uintptr_t bias, const ElfW(Dyn) * dynamic, char* room) {
  if (reported.load(std::memory_order_relaxed)) return;
  static_assert(sizeof(RingSpace) <= kLiburingRoom);
  const NeededRingLibrary needed(*new (room) RingSpace, bias, dynamic);
  if (needed.name() != nullptr) tell(needed.name());
}

void probe_liburing(const char* file) {
  if (file == nullptr || reported.load(std::memory_order_relaxed)) return;
  const char* slash = strrchr(file, '/');
  if (is_ring_library(slash != nullptr ? slash + 1 : file)) tell(file);
}

}  // namespace umaskaudit::shim
