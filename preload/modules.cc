// Finds objects and their build ids; see modules.h.

#include "preload/modules.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "preload/intern.h"
#include "preload/loaded_objects.h"
#include "preload/rings.h"
#include "preload/state.h"

namespace umaskaudit::shim {

namespace {

constinit InternTable modules;
constinit std::atomic<std::uint32_t> generation = 0;  // of what is loaded where

// The build id lies in a loaded note segment; the ELF header is mapped in front of the first one.
void find_build_id(Module& module) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(module.start);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header->e_phentsize != sizeof(ElfW(Phdr))) return;
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(module.start + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    if (segments[i].p_type != PT_NOTE) continue;
    std::uintptr_t at = module.base + segments[i].p_vaddr;
    const std::uintptr_t end = at + segments[i].p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const std::uintptr_t name = at + sizeof *note;
      const std::uintptr_t description = name + ((note->n_namesz + 3u) & ~3u);
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
          memcmp(reinterpret_cast<const void*>(name), "GNU", 4) == 0) {
        module.build_id = reinterpret_cast<const std::uint8_t*>(description);
        module.build_id_length = note->n_descsz;
        return;
      }
      at = description + ((note->n_descsz + 3u) & ~3u);
    }
  }
}

}  // namespace

bool find_module(std::uintptr_t pc, Module& module) {
  LoadedObject object;
  if (!find_object(pc, object)) return false;
  module = {};
  module.start = object.start;
  module.end = object.end;
  module.dynamic = object.dynamic;
  module.base = object.bias;
  module.path = object.path;
  if (module.path == nullptr || module.path[0] == '\0') module.path = process.exe;
  module.path_length = static_cast<std::uint32_t>(strlen(module.path));
  find_build_id(module);
  return true;
}

std::uint64_t encode_frame(const Author& author, std::uintptr_t pc) {
  constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << trace::kFrameModuleShift) - 1;
  Module module;
  if (!find_module(pc - 1, module)) return pc & kOffsetMask;
  std::uint64_t hash = mix(module.start, generation.load(std::memory_order_relaxed));
  hash = mix(hash, module.end) | 1;
  std::uint32_t id = modules.find(hash);
  if (id == 0) {
    id = next_id(trace::IdSpace::module);
    trace::Module record{};
    record.id = id;
    record.build_id_length = module.build_id_length;
    record.base = module.base;
    record.start = module.start;
    record.end = module.end;
    record.path_length = module.path_length;
    if (write_record(trace::RecordType::module, author, record,
                     {module.build_id, module.build_id_length},
                     {module.path, module.path_length})) {
      modules.insert(hash, id);
      look_for_rings(module.base, module.dynamic);
    } else {
      id = 0;  // next time again: until then the address stands for itself
    }
  }
  if (id == 0 || id >= 0x10000) return pc & kOffsetMask;
  return std::uint64_t{id} << trace::kFrameModuleShift | ((pc - module.base) & kOffsetMask);
}

void forget_modules() { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace umaskaudit::shim
