// Reads ELF symbol tables; see symbols.h.

#include "preload/log/symbols.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <initializer_list>

#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// The mapped file of one module.
struct File {
  std::atomic<std::uint64_t> key = 0;   // identity_of(module); 0: none
  std::atomic<std::int32_t> users = 0;  // readers; kChanging: the entry is being changed
  std::uintptr_t start = 0;             // of the module
  const unsigned char* bytes = nullptr;
  std::uint64_t size = 0;
  const ElfW(Sym) * symbols = nullptr;
  std::uint64_t symbol_count = 0;
  const char* strings = nullptr;
  std::uint64_t strings_size = 0;
};
constexpr std::int32_t kChanging = -1;
constexpr unsigned kFiles = 128;
constinit File files[kFiles] = {};
constinit std::atomic<unsigned> next_victim = 0;

bool inside(const File& file, std::uint64_t offset, std::uint64_t size) {
  return offset <= file.size && size <= file.size - offset;
}

// Compares the headers in memory with those of the file: after an upgrade the file has other names.
bool same_object(const File& file, const Module& module) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(file.bytes);
  if (file.size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
  return module.headers_length != 0 && module.headers_length <= file.size &&
         memcmp(file.bytes, module.headers, module.headers_length) == 0;
}

// The symbol table: .symtab if there is one, else .dynsym.
void find_table(File& file) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(file.bytes);
  if (header->e_shentsize != sizeof(ElfW(Shdr)) ||
      !inside(file, header->e_shoff, std::uint64_t{header->e_shnum} * sizeof(ElfW(Shdr)))) {
    return;
  }
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(file.bytes + header->e_shoff);
  for (const unsigned wanted : {unsigned{SHT_SYMTAB}, unsigned{SHT_DYNSYM}}) {
    for (unsigned i = 0; i < header->e_shnum; ++i) {
      const ElfW(Shdr)& table = sections[i];
      if (table.sh_type != wanted || table.sh_link >= header->e_shnum) continue;
      const ElfW(Shdr)& strings = sections[table.sh_link];
      if (!inside(file, table.sh_offset, table.sh_size) ||
          !inside(file, strings.sh_offset, strings.sh_size)) {
        continue;
      }
      file.symbols = reinterpret_cast<const ElfW(Sym)*>(file.bytes + table.sh_offset);
      file.symbol_count = table.sh_size / sizeof(ElfW(Sym));
      file.strings = reinterpret_cast<const char*>(file.bytes + strings.sh_offset);
      file.strings_size = strings.sh_size;
      return;
    }
  }
}

struct Opening {
  const Module& module;
  File& file;
};

void map_opened(const Opening& opening, int fd) {
  struct statx facts {};
  if (sys::facts(fd, "", AT_EMPTY_PATH, &facts) != 0 || !S_ISREG(facts.stx_mode)) return;
  void* bytes = sys::map(facts.stx_size, PROT_READ, MAP_PRIVATE, fd);
  if (bytes == nullptr) return;
  opening.file.bytes = static_cast<const unsigned char*>(bytes);
  opening.file.size = facts.stx_size;
}

void open_and_map(void* argument) {
  const auto& opening = *static_cast<const Opening*>(argument);
  const int fd = sys::open(opening.module.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return;
  map_opened(opening, fd);
  sys::close(fd);
}

void unmap_file(File& file) {
  if (file.bytes != nullptr) sys::unmap(const_cast<unsigned char*>(file.bytes), file.size);
  file.bytes = nullptr;
  file.size = 0;
  file.symbols = nullptr;
}

void map_file(const Module& module, File& file) {
  Opening opening{module, file};
  run_in_own_table(open_and_map, &opening);
  if (file.bytes == nullptr) return;
  if (same_object(file, module)) find_table(file);
  if (file.symbols == nullptr) unmap_file(file);
}

bool begin_reading(File& file, std::uint64_t key) {
  if (file.key.load(std::memory_order_acquire) != key) return false;
  std::int32_t users = file.users.load(std::memory_order_relaxed);
  do {
    if (users == kChanging) return false;
  } while (!file.users.compare_exchange_weak(users, users + 1, std::memory_order_acquire));
  if (file.key.load(std::memory_order_acquire) == key) return true;
  file.users.fetch_sub(1, std::memory_order_release);
  return false;
}

void end_reading(File& file) { file.users.fetch_sub(1, std::memory_order_release); }

// True: there are no readers, and none can start until end_changing().
bool begin_changing(File& file) {
  std::int32_t none = 0;
  return file.users.compare_exchange_strong(none, kChanging, std::memory_order_acquire);
}

void end_changing(File& file, std::uint64_t key, std::int32_t users) {
  file.key.store(key, std::memory_order_release);
  file.users.store(users, std::memory_order_release);
}

// Takes a free entry, else the next one in turn. Null: all are in use.
File* map_into_some_place(const Module& module, std::uint64_t key) {
  for (unsigned tries = 0; tries < 2 * kFiles; ++tries) {
    File& file = tries < kFiles
                     ? files[tries]
                     : files[next_victim.fetch_add(1, std::memory_order_relaxed) % kFiles];
    const bool wanted = tries >= kFiles || file.key.load(std::memory_order_relaxed) == 0;
    if (!wanted || !begin_changing(file)) continue;
    unmap_file(file);
    file.start = module.start;
    map_file(module, file);
    end_changing(file, key, 1);
    return &file;
  }
  return nullptr;
}

// Call end_reading() afterwards. Null: no entry is available.
File* file_of(const Module& module) {
  const std::uint64_t key = identity_of(module);
  for (File& file : files) {
    if (begin_reading(file, key)) return &file;
  }
  return map_into_some_place(module, key);
}

bool look_up(const File& file, std::uintptr_t base, std::uintptr_t pc, Symbol& symbol) {
  const std::uintptr_t wanted = pc - base;
  for (std::uint64_t i = 0; i < file.symbol_count; ++i) {
    const ElfW(Sym)& candidate = file.symbols[i];
    if (ELF64_ST_TYPE(candidate.st_info) != STT_FUNC || candidate.st_name >= file.strings_size) {
      continue;
    }
    if (wanted < candidate.st_value || wanted - candidate.st_value >= candidate.st_size) continue;
    const char* name = file.strings + candidate.st_name;
    const auto length = static_cast<unsigned>(strnlen(name, file.strings_size - candidate.st_name));
    symbol.cut = length > Symbol::kLongest;
    symbol.length = symbol.cut ? Symbol::kLongest : length;
    memcpy(symbol.name, name, symbol.length);
    symbol.start = base + candidate.st_value;
    return true;
  }
  return false;
}

}  // namespace

bool find_symbol(const Module& module, std::uintptr_t pc, Symbol& symbol) {
  File* file = file_of(module);
  if (file == nullptr) return false;
  const bool found = file->symbols != nullptr && look_up(*file, module.base, pc, symbol);
  end_reading(*file);
  return found;
}

void forget_symbols() {
  const sys::WithoutSignals guard;
  const Scratch buffer;
  const int self = sys::getpid();
  for (File& file : files) {
    const std::uint64_t key = file.key.load(std::memory_order_relaxed);
    if (key == 0) continue;
    Module module;
    if (find_module(file.start, self, buffer, module) && identity_of(module) == key) continue;
    if (!begin_changing(file)) continue;
    unmap_file(file);
    end_changing(file, 0, 0);
  }
}

// An entry that another thread was changing has parts of two files: it is freed without being
// unmapped.
void release_symbols() {
  for (File& file : files) {
    if (file.users.load(std::memory_order_relaxed) == kChanging) {
      file.key.store(0, std::memory_order_relaxed);
      file.bytes = nullptr;
      file.symbols = nullptr;
    }
    file.users.store(0, std::memory_order_relaxed);
  }
}

}  // namespace umaskaudit::shim
