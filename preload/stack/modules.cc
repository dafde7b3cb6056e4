// Finds objects and their build ids; see modules.h.

#include "preload/stack/modules.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/record/shared_ids.h"
#include "preload/script/script.h"
#include "preload/state.h"
#include "preload/sys/loaded_objects.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << trace::kFrameModuleShift) - 1;
constexpr std::uint32_t kModules = 1u << (64 - trace::kFrameModuleShift);

constinit InternTable modules;  // by identity_of()
constinit RecentIds recent;     // by where they are; `generation` is part of that key
constinit std::atomic<std::uint32_t> generation = 0;
constinit std::atomic<LookAtModule> look_at_new = nullptr;

// Where the parts of a Module lie in the buffer.
constexpr std::size_t kPathSize = 4096;  // PATH_MAX
constexpr std::size_t kHeaders = 3072;   // 53 program headers; more than linkers make
constexpr std::size_t kNotes = 512;
constexpr std::size_t kBuildId = 64;
constexpr std::size_t kModuleAt = kPathSize + kHeaders + kNotes + kBuildId;
constexpr std::size_t kRecordAt = kModuleAt + sizeof(Module);
static_assert(kRoomForLook <= kModuleAt);
static_assert(kRecordAt + sizeof(trace::Module) <= Scratch::kSize && kModuleAt % 16 == 0 &&
              sizeof(Module) % 16 == 0);

// A hint: where the parts of an object were last time, so that one system call reads them all. It
// is checked against what is read: when another object is loaded there, or the hint was half
// overwritten, the parts are searched for again. So hints need no invalidation when an object is
// unloaded.
struct Hint {
  std::atomic<std::uint64_t> sizes = 0;   // 16 bits each: name with its end, headers, notes
  std::atomic<std::uintptr_t> notes = 0;  // the segment with the build id
};
constexpr unsigned kHints = 256;
constinit Hint hints[kHints] = {};

Hint& hint_of(const LoadedObject& object) {
  return hints[mix(object.start, object.end) >> 20 & (kHints - 1)];
}

struct Source {
  const LoadedObject& object;
  int self;  // our process id
};

// Copies the loader's name of the object page by page: memory may end after the name.
std::uint32_t copy_name(const Source& source, char* to) {
  const char* const from = source.object.path;
  std::size_t length = 0;
  while (length < kPathSize) {
    const auto at = reinterpret_cast<std::uintptr_t>(from) + length;
    std::size_t step = kPage - (at & (kPage - 1));
    if (step > kPathSize - length) step = kPathSize - length;
    const long copied = sys::copy_memory(to + length, from + length, step, source.self);
    if (copied <= 0) break;
    const std::size_t part = strnlen(to + length, static_cast<std::size_t>(copied));
    length += part;
    if (part < static_cast<std::size_t>(copied)) return static_cast<std::uint32_t>(length);
  }
  return 0;  // not a string: the loader has freed it
}

// The size of the ELF header and the program headers, of which the first bytes were copied. 0: they
// are incomplete.
std::uint32_t length_of_headers(const unsigned char* bytes, std::size_t copied) {
  ElfW(Ehdr) header;
  if (copied < sizeof header) return 0;
  memcpy(&header, bytes, sizeof header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return 0;
  const std::uint64_t size = std::uint64_t{header.e_phnum} * sizeof(ElfW(Phdr));
  if (header.e_phoff > kHeaders || size > copied || header.e_phoff > copied - size) return 0;
  return static_cast<std::uint32_t>(header.e_phoff + size);
}

// The ELF header is mapped in front of the object's first segment.
void copy_headers(const Source& source, Module& module, unsigned char* to) {
  const std::size_t mapped = module.end - module.start;
  const long copied = sys::copy_memory(to, reinterpret_cast<const void*>(module.start),
                                       mapped < kHeaders ? mapped : kHeaders, source.self);
  if (copied <= 0) return;
  module.headers_length = length_of_headers(to, static_cast<std::size_t>(copied));
  if (module.headers_length != 0) module.headers = to;
}

std::uint32_t aligned(std::uint32_t size) { return (size + 3u) & ~3u; }

// Finds the build id in `notes`, a note segment or the beginning of one. Returns its length, 0:
// none.
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

// Copies one member of a structure in another object's memory; the whole structure would need too
// much of a small stack.
template <typename Member>
Member member_at(const unsigned char* at) {
  Member member;
  memcpy(&member, at, sizeof member);
  return member;
}
#define FIELD(AT, TYPE, MEMBER) \
  member_at<decltype(TYPE::MEMBER)>((AT) + offsetof(TYPE, MEMBER))  // NOLINT: a type's name

// A part of the object's memory.
struct Notes {
  std::uintptr_t at = 0;  // 0: none
  std::size_t size = 0;
};

// Goes through the note segments of the object that `module.headers` are of.
class NoteSegments {
 public:
  explicit NoteSegments(const Module& module) : module_(module) {
    next_ = module.headers + FIELD(module.headers, ElfW(Ehdr), e_phoff);
    left_ = FIELD(module.headers, ElfW(Ehdr), e_phnum);
  }
  Notes next() {
    while (left_ > 0) {
      const unsigned char* const segment = next_;
      next_ += sizeof(ElfW(Phdr));
      --left_;
      if (FIELD(segment, ElfW(Phdr), p_type) != PT_NOTE) continue;
      const std::size_t size = FIELD(segment, ElfW(Phdr), p_memsz);
      return {module_.base + FIELD(segment, ElfW(Phdr), p_vaddr), size < kNotes ? size : kNotes};
    }
    return {};
  }

 private:
  const Module& module_;
  const unsigned char* next_;
  unsigned left_;
};

// Returns where it is.
[[gnu::noinline]] Notes find_build_id(const Source& source, Module& module, unsigned char* notes) {
  NoteSegments segments(module);
  for (Notes segment = segments.next(); segment.at != 0; segment = segments.next()) {
    const long copied = sys::copy_memory(notes, reinterpret_cast<const void*>(segment.at),
                                         segment.size, source.self);
    if (copied <= 0) continue;
    module.build_id_length = build_id_in(notes, static_cast<std::size_t>(copied), notes + kNotes);
    if (module.build_id_length == 0) continue;
    module.build_id = notes + kNotes;
    return segment.size == static_cast<std::size_t>(copied) ? segment : Notes{};
  }
  return {};
}

// The parts of the buffer behind the path.
unsigned char* headers_in(char* room) { return reinterpret_cast<unsigned char*>(room + kPathSize); }
unsigned char* notes_in(char* room) { return headers_in(room) + kHeaders; }

bool has_notes_at(const Module& module, const Notes& wanted) {
  NoteSegments segments(module);
  for (Notes segment = segments.next(); segment.at != 0; segment = segments.next()) {
    if (segment.at == wanted.at && segment.size == wanted.size) return true;
  }
  return false;
}

// False: there is no hint, or it does not match this object. Not inlined, as the function below:
// each has a large frame.
[[gnu::noinline]] bool read_at_once(const Source& source, char* room, Module& module) {
  const Hint& hint = hint_of(source.object);
  const std::uint64_t sizes = hint.sizes.load(std::memory_order_relaxed);
  const std::size_t name = sizes & 0xffff;
  const std::size_t headers = sizes >> 16 & 0xffff;
  const Notes notes{hint.notes.load(std::memory_order_relaxed), sizes >> 32 & 0xffff};
  if (headers == 0 || headers > module.end - module.start) return false;
  const auto* const start = reinterpret_cast<const void*>(module.start);
  if (!sys::copy_pieces({{room, source.object.path, name},
                         {headers_in(room), start, headers},
                         {notes_in(room), reinterpret_cast<const void*>(notes.at), notes.size}},
                        source.self)) {
    return false;
  }
  const bool named = name != 0;
  if (named != (source.object.path != nullptr)) return false;
  if (named && strnlen(room, name) != name - 1) return false;
  if (length_of_headers(headers_in(room), headers) != headers) return false;
  if (named) module.path_length = static_cast<std::uint32_t>(name - 1);
  module.headers = headers_in(room);
  module.headers_length = static_cast<std::uint32_t>(headers);
  if (notes.size == 0) {
    find_build_id(source, module, notes_in(room));
    return true;
  }
  if (!has_notes_at(module, notes)) return false;
  module.build_id_length = build_id_in(notes_in(room), notes.size, notes_in(room) + kNotes);
  module.build_id = notes_in(room) + kNotes;
  return module.build_id_length != 0;
}

// Returns where the build id is.
[[gnu::noinline]] Notes read_by_parts(const Source& source, char* room, Module& module) {
  if (source.object.path != nullptr) module.path_length = copy_name(source, room);
  copy_headers(source, module, headers_in(room));
  if (module.headers_length == 0) return {};
  return find_build_id(source, module, notes_in(room));
}

void keep_hint(const LoadedObject& object, const Module& module, const Notes& notes) {
  if (module.headers_length == 0) return;
  const std::uint64_t name = object.path != nullptr ? module.path_length + 1 : 0;
  const std::uint64_t headers = module.headers_length;
  Hint& hint = hint_of(object);
  hint.notes.store(notes.at, std::memory_order_relaxed);
  hint.sizes.store(name | headers << 16 | std::uint64_t{notes.size} << 32,
                   std::memory_order_relaxed);
}

void begin_module(const LoadedObject& object, char* room, Module& module) {
  module = {};
  module.path = room;
  module.base = object.bias;
  module.start = object.start;
  module.end = object.end;
  module.dynamic = object.dynamic;
}

void name_by_program(Module& module) {
  if (module.path_length != 0) return;
  module.path = process.exe;
  module.path_length = process.exe_length;
}

[[gnu::noinline]] bool write_module(const Author& author, std::uint32_t id, const Module& module,
                                    trace::Module& record) {
  record.id = id;
  record.build_id_length = module.build_id_length;
  record.base = module.base;
  record.start = module.start;
  record.end = module.end;
  record.path_length = module.path_length;
  return write_record(trace::RecordType::module, author, record,
                      {module.build_id, module.build_id_length}, {module.path, module.path_length});
}

// Returns the module's id, 0: it could not be written. Not inlined, because it is rare; its data is
// in the buffer, because the call stack is deepest here.
constexpr std::uint32_t kNew = std::uint32_t{1} << 31;  // beside the number
[[gnu::noinline]] std::uint32_t intern_module(const Author& author, const LoadedObject& object) {
  const Scratch buffer;
  if (buffer.get() == nullptr) return 0;
  char* const room = buffer.get();
  auto& module = *new (room + kModuleAt) Module;
  begin_module(object, room, module);
  // once a module: a hint would cost more stack
  read_by_parts({object, sys::getpid()}, room, module);
  name_by_program(module);
  const std::uint64_t hash = identity_of(module);
  std::uint32_t id = modules.find(hash);
  if (id == 0) {
    id = find_shared_id(trace::IdSpace::module, hash);
    if (id == 0) {
      id = next_id(trace::IdSpace::module);
      if (id >= kModules) return 0;
      auto& record = *new (room + kRecordAt) trace::Module();
      if (!write_module(author, id, module, record)) return 0;  // next time again
      share_id(trace::IdSpace::module, hash, id);
    }
    modules.insert(hash, id);
    const LookAtModule look = look_at_new.load(std::memory_order_relaxed);
    if (look != nullptr) look(module.base, module.dynamic, room);
    id |= kNew;
  }
  return id;
}

// The object has a frame on the calling thread's stack, so nothing may unload it.
[[gnu::noinline]] void meet(const Author& author, std::uint32_t id, const LoadedObject& object) {
  const bool named = object.path != nullptr && *object.path != '\0';
  meet_module(author, {id, object.bias, object.dynamic, named ? object.path : process.exe});
}

}  // namespace

bool find_module(std::uintptr_t pc, int self, const Scratch& buffer, Module& module) {
  LoadedObject object;
  if (!find_object(pc, object) || buffer.get() == nullptr) return false;
  const Source source{object, self};
  char* const room = buffer.get();
  begin_module(object, room, module);
  if (!read_at_once(source, room, module)) {
    begin_module(object, room, module);
    keep_hint(object, module, read_by_parts(source, room, module));
  }
  name_by_program(module);
  return true;
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
    if ((id & kNew) != 0) {
      id &= ~kNew;
      meet(author, id, object);
    }
    recent.insert(hash, id);
  }
  return {std::uint64_t{id} << trace::kFrameModuleShift | ((pc - object.bias) & kOffsetMask), true};
}

void look_at_new_modules(LookAtModule look) { look_at_new.store(look, std::memory_order_relaxed); }

void forget_modules() { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace umaskaudit::shim
