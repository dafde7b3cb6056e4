// Reads the version definitions of a file; see libc_versions.h and elf(5), .gnu.version_d.

#include "preload/process/libc_versions.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// System V's hash, as version definitions have it.
constexpr std::uint32_t hash_of(const char* name) {
  std::uint32_t hash = 0;
  for (; *name != '\0'; ++name) {
    hash = (hash << 4) + static_cast<unsigned char>(*name);
    hash = (hash ^ (hash >> 24 & 0xF0)) & 0x0FFFFFFF;
  }
  return hash;
}

// The version that defined the latest of the required names in libc_names.def, secure_getenv(3).
constexpr std::uint32_t kNeeded = hash_of("GLIBC_2.17");

long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) {
  return sys::call(SYS_pread64, fd, sys::arg(to), static_cast<long>(size),
                   static_cast<long>(offset));
}

// The file offset of what will be at `address`; 0: none.
std::uint64_t offset_of(std::uint64_t address, const ElfW(Phdr) * headers, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const ElfW(Phdr)& header = headers[i];
    if (header.p_type == PT_LOAD && address >= header.p_vaddr &&
        address - header.p_vaddr < header.p_filesz) {
      return address - header.p_vaddr + header.p_offset;
    }
  }
  return 0;
}

// The offset of the version definitions; 0: none. The headers are read into the front of the
// buffer, because the stack may be small.
std::uint64_t find_definitions(int fd, char* buffer, std::size_t size) {
  ElfW(Ehdr) elf;
  if (read_at(fd, &elf, sizeof elf, 0) != sizeof elf) return 0;
  if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  constexpr unsigned kMostHeaders = 16;
  const unsigned count = elf.e_phnum < kMostHeaders ? elf.e_phnum : kMostHeaders;
  // The rest of a buffer that begins with a name.
  const std::size_t odd = reinterpret_cast<std::uintptr_t>(buffer) % alignof(ElfW(Phdr));
  const std::size_t skipped = odd != 0 ? alignof(ElfW(Phdr)) - odd : 0;
  if (size < skipped + kMostHeaders * sizeof(ElfW(Phdr))) return 0;
  buffer += skipped;
  size -= skipped;
  auto* headers = reinterpret_cast<ElfW(Phdr)*>(buffer);
  const auto bytes = static_cast<long>(count * sizeof(ElfW(Phdr)));
  if (read_at(fd, headers, static_cast<std::size_t>(bytes), elf.e_phoff) != bytes) return 0;
  buffer += kMostHeaders * sizeof(ElfW(Phdr));
  size -= kMostHeaders * sizeof(ElfW(Phdr));
  for (unsigned i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_DYNAMIC) continue;
    const std::size_t wanted = headers[i].p_filesz < size ? headers[i].p_filesz : size;
    const long got = read_at(fd, buffer, wanted, headers[i].p_offset);
    for (long at = 0; at + static_cast<long>(sizeof(ElfW(Dyn))) <= got;
         at += static_cast<long>(sizeof(ElfW(Dyn)))) {
      ElfW(Dyn) entry;
      memcpy(&entry, buffer + at, sizeof entry);
      if (entry.d_tag == DT_VERDEF) return offset_of(entry.d_un.d_ptr, headers, count);
    }
  }
  return 0;
}

}  // namespace

bool is_new_enough(int fd, char* buffer, std::size_t size) {
  const std::uint64_t begin = find_definitions(fd, buffer, size);
  if (begin == 0) return false;
  constexpr unsigned kMostDefinitions = 512;
  std::uint64_t at = begin;
  std::uint64_t read_from = 0;
  long there = 0;
  for (unsigned i = 0; i < kMostDefinitions; ++i) {
    ElfW(Verdef) definition;
    if (at < read_from || at + sizeof definition > read_from + static_cast<std::uint64_t>(there)) {
      read_from = at;
      there = read_at(fd, buffer, size, at);
      if (there < static_cast<long>(sizeof definition)) return false;
    }
    memcpy(&definition, buffer + (at - read_from), sizeof definition);
    if (definition.vd_hash == kNeeded) return true;
    if (definition.vd_next == 0) return false;
    at += definition.vd_next;
  }
  return false;
}

}  // namespace umaskaudit::shim
