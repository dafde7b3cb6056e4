// Asks libc, or keeps a table; see loaded_objects.h.

#include "preload/sys/loaded_objects.h"

#include <elf.h>

#include <atomic>
#include <cstring>

#include "preload/sys/libc_names.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr unsigned kMost = 256;

// Two tables: one is read while the other is filled. `count` is stored after the objects.
struct Table {
  std::atomic<unsigned> count = 0;
  std::uintptr_t last = 0;  // the loader's last object when this was filled: its link_map
  LoadedObject objects[kMost];
};
constinit Table tables[2] = {};
// counts fillings; its lowest bit says which table is valid
constinit std::atomic<unsigned> turn = 0;
constinit std::atomic<const r_debug*> debug = nullptr;  // the loader's list, for debuggers
constinit std::atomic<bool> busy = false;               // a thread is writing to a table
// another thread wanted a filling while one was under way
constinit std::atomic<bool> outdated = false;

void add(Table& table, const LoadedObject& object) {
  const unsigned count = table.count.load(std::memory_order_relaxed);
  if (count == kMost) return;
  table.objects[count] = object;
  table.count.store(count + 1, std::memory_order_release);
}

void read_segment(LoadedObject& object, const ElfW(Phdr) & segment) {
  const std::uintptr_t at = object.bias + segment.p_vaddr;
  switch (segment.p_type) {
    case PT_LOAD:
      if (object.end == 0 || at < object.start) object.start = at;
      if (at + segment.p_memsz > object.end) object.end = at + segment.p_memsz;
      break;
    case PT_DYNAMIC:
      object.dynamic = reinterpret_cast<const ElfW(Dyn)*>(at);
      break;
    case PT_GNU_EH_FRAME:
      object.eh_frame = reinterpret_cast<const std::uint8_t*>(at);
      break;
    default:
      break;
  }
}

int add_one(dl_phdr_info* info, std::size_t, void* filled) {
  auto& table = *static_cast<Table*>(filled);
  LoadedObject object;
  object.bias = info->dlpi_addr;
  // The loader's list begins with the main program; musl names that by argv[0].
  const bool first = table.count.load(std::memory_order_relaxed) == 0;
  object.path = first ? "" : info->dlpi_name;
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) read_segment(object, info->dlpi_phdr[i]);
  // The list's address is in the main program's dynamic section (elf(5)).
  for (const auto* entry = object.dynamic; first && entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_DEBUG) debug = reinterpret_cast<const r_debug*>(entry->d_un.d_ptr);
  }
  add(table, object);
  return 0;
}

// One link of the loader's list, read without the loader's lock: another thread may free it.
std::uintptr_t next_of(std::uintptr_t map) {
  const auto* link = reinterpret_cast<const link_map*>(map);
  const std::uintptr_t next = sys::word_at(&link->l_next);
  if (next == 0) return 0;
  return sys::word_at(&reinterpret_cast<const link_map*>(next)->l_prev) == map ? next : 0;
}

std::uintptr_t last_of_list() {
  const r_debug* list = debug;
  if (list == nullptr) return 0;
  std::uintptr_t last = sys::word_at(&list->r_map);
  if (last == 0) return 0;
  for (std::uintptr_t next = next_of(last); next != 0; next = next_of(last)) last = next;
  return last;
}

void fill() {
  const unsigned next = turn.load(std::memory_order_relaxed) + 1;
  Table& table = tables[next % 2];
  table.count.store(0, std::memory_order_relaxed);
  dl_iterate_phdr(add_one, &table);
  table.last = last_of_list();
  turn.store(next, std::memory_order_release);
}

// A library's ELF header is at its load address.
bool read_mapped(std::uintptr_t map, LoadedObject& object) {
  const auto* link = reinterpret_cast<const link_map*>(map);
  object = {};
  object.bias = sys::word_at(&link->l_addr);
  object.path = reinterpret_cast<const char*>(sys::word_at(&link->l_name));
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(object.bias);
  if (object.path == nullptr || !sys::readable(header)) return false;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
  constexpr std::uintptr_t kPage = 4096;
  if (header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > kPage) return false;
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(object.bias + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) read_segment(object, segments[i]);
  return object.end > object.start;
}

// Adds what was appended to the loader's list since the table was filled.
void add_new() {
  if (busy.exchange(true, std::memory_order_acquire)) return;
  Table& table = tables[turn.load(std::memory_order_relaxed) % 2];
  for (std::uintptr_t map = table.last; map != 0 && (map = next_of(map)) != 0;) {
    LoadedObject object;
    if (read_mapped(map, object)) add(table, object);
    table.last = map;
  }
  busy.store(false, std::memory_order_release);
}

bool find_in_table(std::uintptr_t address, LoadedObject& object) {
  for (;;) {
    const unsigned now = turn.load(std::memory_order_acquire);
    const Table& table = tables[now % 2];
    const unsigned count = table.count.load(std::memory_order_acquire);
    bool found = false;
    for (unsigned i = 0; i < count && !found; ++i) {
      object = table.objects[i];
      found = address >= object.start && address < object.end;
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (turn.load(std::memory_order_relaxed) == now) return found;
  }
}

// A function of its own, because its frame is large.
[[gnu::noinline]] bool find_by_ourselves(std::uintptr_t address, LoadedObject& object) {
  if (find_in_table(address, object)) return true;
  const sys::SignalSet signals = sys::block_signals();
  add_new();
  sys::restore_signals(signals);
  return find_in_table(address, object);
}

}  // namespace

bool find_object(std::uintptr_t address, LoadedObject& object) {
  if (&_dl_find_object == nullptr) return find_by_ourselves(address, object);
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return false;
  object.start = reinterpret_cast<std::uintptr_t>(found.dlfo_map_start);
  object.end = reinterpret_cast<std::uintptr_t>(found.dlfo_map_end);
  object.bias = found.dlfo_link_map->l_addr;
  object.path = found.dlfo_link_map->l_name;
  object.dynamic = found.dlfo_link_map->l_ld;
  object.eh_frame = static_cast<const std::uint8_t*>(found.dlfo_eh_frame);
  return true;
}

// A thread that finds another one filling does not wait: that one may be waiting for the loader's
// lock, which this thread holds while it runs a constructor below dlopen(3).
void read_loaded_objects() {
  if (&_dl_find_object != nullptr) return;
  const sys::SignalSet signals = sys::block_signals();
  outdated = true;
  while (outdated.load() && !busy.exchange(true, std::memory_order_acquire)) {
    outdated = false;
    fill();
    busy.store(false, std::memory_order_release);
  }
  sys::restore_signals(signals);
}

void release_loaded_objects() { busy = false; }

}  // namespace umaskaudit::shim
