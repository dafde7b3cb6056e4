// Reads ELF symbol tables; see symbols.h.

#include "preload/symbols.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <initializer_list>

#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

// One mapped file a module. An entry is filled before its key is published, and never changes.
struct File {
  std::atomic<std::uintptr_t> key = 0;  // the module's start
  const unsigned char* bytes = nullptr;
  std::uint64_t size = 0;
  const ElfW(Sym) * symbols = nullptr;
  std::uint64_t symbol_count = 0;
  const char* strings = nullptr;
  std::uint64_t strings_size = 0;
};
constexpr unsigned kFiles = 128;
constinit File files[kFiles] = {};
constinit std::atomic<unsigned> files_used = 0;

bool inside(const File& file, std::uint64_t offset, std::uint64_t size) {
  return offset <= file.size && size <= file.size - offset;
}

// The loaded headers and the file's are compared: an upgraded file has other names.
bool same_object(const File& file, const Module& module) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(file.bytes);
  if (file.size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
  const std::uint64_t length =
      header->e_phoff + std::uint64_t{header->e_phnum} * header->e_phentsize;
  return length <= 4096 && length <= file.size &&
         memcmp(file.bytes, reinterpret_cast<const void*>(module.start), length) == 0;
}

// .symtab where there is one, else .dynsym.
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

void map_file(const Module& module, File& file) {
  const int fd = sys::open(module.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  struct statx facts {};
  void* bytes = nullptr;
  if (sys::facts(fd, "", AT_EMPTY_PATH, &facts) == 0 && (facts.stx_mode & S_IFMT) == S_IFREG) {
    file.size = facts.stx_size;
    bytes = sys::map(file.size, PROT_READ, MAP_PRIVATE, fd);
  }
  sys::close(fd);
  file.bytes = static_cast<const unsigned char*>(bytes);
  if (bytes != nullptr && same_object(file, module)) find_table(file);
}

const File* file_of(const Module& module) {
  const unsigned used = files_used.load(std::memory_order_acquire);
  for (unsigned i = 0; i < used && i < kFiles; ++i) {
    if (files[i].key.load(std::memory_order_acquire) == module.start) return &files[i];
  }
  const unsigned index = files_used.fetch_add(1, std::memory_order_acq_rel);
  if (index >= kFiles) {
    files_used.store(kFiles, std::memory_order_relaxed);
    return nullptr;
  }
  map_file(module, files[index]);
  files[index].key.store(module.start, std::memory_order_release);
  return &files[index];
}

}  // namespace

bool find_symbol(const Module& module, std::uintptr_t pc, Symbol& symbol) {
  const File* file = file_of(module);
  if (file == nullptr || file->symbols == nullptr) return false;
  const std::uintptr_t wanted = pc - module.base;
  for (std::uint64_t i = 0; i < file->symbol_count; ++i) {
    const ElfW(Sym)& candidate = file->symbols[i];
    if (ELF64_ST_TYPE(candidate.st_info) != STT_FUNC || candidate.st_name >= file->strings_size) {
      continue;
    }
    if (wanted < candidate.st_value || wanted - candidate.st_value >= candidate.st_size) continue;
    symbol.name = file->strings + candidate.st_name;
    symbol.length =
        static_cast<unsigned>(strnlen(symbol.name, file->strings_size - candidate.st_name));
    symbol.start = module.base + candidate.st_value;
    return true;
  }
  return false;
}

void forget_symbols() {
  for (File& file : files) file.key.store(0, std::memory_order_relaxed);
}

}  // namespace umaskaudit::shim
