// Finds objects and their build ids; see modules.h.

#include "preload/modules.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "preload/intern.h"
#include "preload/loaded_objects.h"
#include "preload/rings.h"
#include "preload/state.h"
#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << trace::kFrameModuleShift) - 1;
constexpr std::uint32_t kModules = 1u << (64 - trace::kFrameModuleShift);

constinit InternTable modules;  // by identity_of()
constinit RecentIds recent;     // by where they are; `generation` is part of that key
constinit std::atomic<std::uint32_t> generation = 0;

// Where the parts of a Module lie in the buffer.
constexpr std::size_t kPathSize = 4096;  // PATH_MAX
constexpr std::size_t kHeaders = 3072;   // 53 program headers; more than linkers make
constexpr std::size_t kNotes = 512;
constexpr std::size_t kBuildId = 64;
static_assert(kPathSize + kHeaders + kNotes + kBuildId <= Scratch::kSize);

// What the loader calls the object: page by page, for memory may end behind the name.
std::uint32_t copy_name(const char* from, char* to) {
  std::size_t length = 0;
  while (length < kPathSize) {
    const auto at = reinterpret_cast<std::uintptr_t>(from) + length;
    std::size_t step = kPage - (at & (kPage - 1));
    if (step > kPathSize - length) step = kPathSize - length;
    const long copied = sys::copy_memory(to + length, from + length, step);
    if (copied <= 0) break;
    const std::size_t part = strnlen(to + length, static_cast<std::size_t>(copied));
    length += part;
    if (part < static_cast<std::size_t>(copied)) return static_cast<std::uint32_t>(length);
  }
  return 0;  // no string: what is there is no longer the loader's
}

// The ELF header is mapped in front of the object's first segment, its program headers behind it.
void copy_headers(Module& module, unsigned char* to) {
  const std::size_t mapped = module.end - module.start;
  const long copied = sys::copy_memory(to, reinterpret_cast<const void*>(module.start),
                                       mapped < kHeaders ? mapped : kHeaders);
  ElfW(Ehdr) header;
  if (copied < static_cast<long>(sizeof header)) return;
  memcpy(&header, to, sizeof header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return;
  const std::uint64_t size = std::uint64_t{header.e_phnum} * sizeof(ElfW(Phdr));
  if (header.e_phoff > kHeaders || size > static_cast<std::uint64_t>(copied) ||
      header.e_phoff > static_cast<std::uint64_t>(copied) - size) {
    return;
  }
  module.headers = to;
  module.headers_length = static_cast<std::uint32_t>(header.e_phoff + size);
}

std::uint32_t aligned(std::uint32_t size) { return (size + 3u) & ~3u; }

// In `notes`, a note segment or the beginning of one. Returns the length, 0: none.
std::uint32_t build_id_in(const unsigned char* notes, std::size_t size, unsigned char* to) {
  std::size_t at = 0;
  ElfW(Nhdr) note;
  while (at <= size && size - at >= sizeof note) {
    memcpy(&note, notes + at, sizeof note);
    at += sizeof note;
    if (note.n_namesz > size || note.n_descsz > size) return 0;
    const std::size_t name = at;
    const std::size_t description = name + aligned(note.n_namesz);
    at = description + aligned(note.n_descsz);
    if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4) continue;
    if (description + note.n_descsz > size || memcmp(notes + name, "GNU", 4) != 0) continue;
    if (note.n_descsz > kBuildId) return 0;
    memcpy(to, notes + description, note.n_descsz);
    return note.n_descsz;
  }
  return 0;
}

void find_build_id(Module& module, unsigned char* notes, unsigned char* to) {
  ElfW(Ehdr) header;
  memcpy(&header, module.headers, sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    memcpy(&segment, module.headers + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_NOTE) continue;
    const std::size_t size = segment.p_memsz < kNotes ? segment.p_memsz : kNotes;
    const long copied =
        sys::copy_memory(notes, reinterpret_cast<const void*>(module.base + segment.p_vaddr), size);
    if (copied <= 0) continue;
    module.build_id_length = build_id_in(notes, static_cast<std::size_t>(copied), to);
    if (module.build_id_length == 0) continue;
    module.build_id = to;
    return;
  }
}

bool read_module(const LoadedObject& object, const Scratch& buffer, Module& module) {
  char* const room = buffer.get();
  if (room == nullptr) return false;
  module = {};
  module.start = object.start;
  module.end = object.end;
  module.dynamic = object.dynamic;
  module.base = object.bias;
  module.path = room;
  if (object.path != nullptr) module.path_length = copy_name(object.path, room);
  if (module.path_length == 0) {
    module.path = process.exe;
    module.path_length = process.exe_length;
  }
  auto* const headers = reinterpret_cast<unsigned char*>(room + kPathSize);
  copy_headers(module, headers);
  if (module.headers_length != 0) {
    find_build_id(module, headers + kHeaders, headers + kHeaders + kNotes);
  }
  return true;
}

// Its number, 0: it could not be written. Apart, for it is rare.
[[gnu::noinline]] std::uint32_t intern_module(const Author& author, const LoadedObject& object) {
  const Scratch buffer;
  Module module;
  if (!read_module(object, buffer, module)) return 0;
  const std::uint64_t hash = identity_of(module);
  std::uint32_t id = modules.find(hash);
  if (id == 0) {
    id = next_id(trace::IdSpace::module);
    if (id >= kModules) return 0;
    trace::Module record{};
    record.id = id;
    record.build_id_length = module.build_id_length;
    record.base = module.base;
    record.start = module.start;
    record.end = module.end;
    record.path_length = module.path_length;
    if (!write_record(trace::RecordType::module, author, record,
                      {module.build_id, module.build_id_length},
                      {module.path, module.path_length})) {
      return 0;  // next time again
    }
    modules.insert(hash, id);
    look_for_rings(module.base, module.dynamic);
  }
  return id;
}

}  // namespace

bool find_module(std::uintptr_t pc, const Scratch& buffer, Module& module) {
  LoadedObject object;
  return find_object(pc, object) && read_module(object, buffer, module);
}

std::uint64_t identity_of(const Module& module) {
  std::uint64_t hash = mix(mix(module.start, module.end), module.base);
  hash = mix(hash, hash_bytes(module.build_id, module.build_id_length));
  return mix(hash, hash_bytes(module.path, module.path_length)) | 1;
}

Frame encode_frame(const Author& author, std::uintptr_t pc) {
  LoadedObject object;
  if (!find_object(pc - 1, object)) return {pc & kOffsetMask, true};
  std::uint64_t hash = mix(object.start, generation.load(std::memory_order_relaxed));
  hash = mix(hash, object.end) | 1;
  std::uint32_t id = recent.find(hash);
  if (id == 0) {
    id = intern_module(author, object);
    if (id == 0) return {pc & kOffsetMask, false};
    recent.insert(hash, id);
  }
  return {std::uint64_t{id} << trace::kFrameModuleShift | ((pc - object.bias) & kOffsetMask), true};
}

void forget_modules() { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace umaskaudit::shim
