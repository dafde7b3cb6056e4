// See elf_image.h; the layout is elf(5)'s.
#include "reporter/inspect/elf_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace umaskaudit::inspect {
namespace {

constexpr unsigned kMostHeaders = 128;
constexpr std::size_t kMostEntries = 1 << 16;    // of the dynamic section, of relocations
constexpr std::size_t kMostName = 256;           // longer C++ names are never searched for
constexpr std::uint64_t kMostCode = 512u << 20;  // bytes
constexpr std::size_t kPiece = 1 << 20;
constexpr unsigned char kOwnOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

bool fills_slot(std::uint16_t machine, std::uint32_t type) {
  if (machine == EM_X86_64) return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
  if (machine == EM_AARCH64) return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
  return false;
}

}  // namespace

// The tables that the dynamic section refers to.
struct ElfImage::Tables {
  std::uint64_t strings = 0, symbols = 0;
  struct {
    std::uint64_t at = 0, bytes = 0;
  } relocations[2];                   // of data, of the procedure linkage table
  std::vector<std::uint64_t> needed;  // offsets into `strings`
};

ElfImage::ElfImage(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  Elf64_Ehdr header{};
  if (!read_file(&header, sizeof header, 0)) return;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kOwnOrder) return;
  machine_ = header.e_machine;
  for (unsigned i = 0; i < std::min<unsigned>(header.e_phnum, kMostHeaders); ++i) {
    Elf64_Phdr segment{};
    if (!read_file(&segment, sizeof segment, header.e_phoff + std::uint64_t{i} * sizeof segment)) {
      break;
    }
    if (segment.p_type == PT_LOAD) loads_.push_back(segment);
    if (segment.p_type == PT_DYNAMIC) dynamic_ = segment;
  }
}

ElfImage::~ElfImage() {
  if (fd_ >= 0) close(fd_);
}

bool ElfImage::read_file(void* to, std::size_t size, std::uint64_t offset) const {
  if (fd_ < 0 || offset > static_cast<std::uint64_t>(INT64_MAX)) return false;
  return pread(fd_, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

bool ElfImage::read_at(void* to, std::size_t size, std::uint64_t address) const {
  for (const Elf64_Phdr& load : loads_) {
    if (address < load.p_vaddr || address - load.p_vaddr >= load.p_filesz) continue;
    const std::uint64_t into = address - load.p_vaddr;
    return size <= load.p_filesz - into && read_file(to, size, load.p_offset + into);
  }
  return false;
}

// A string ends at a zero byte or at the end of the segment: read byte by byte where a block does
// not fit.
std::string ElfImage::text_at(std::uint64_t address) const {
  std::string text;
  char byte = 0;
  while (text.size() < kMostName && read_at(&byte, 1, address + text.size()) && byte != 0) {
    text += byte;
  }
  return text;
}

ElfImage::Tables ElfImage::tables() const {
  Tables tables;
  const std::size_t count =
      std::min<std::size_t>(dynamic_.p_filesz / sizeof(Elf64_Dyn), kMostEntries);
  for (std::size_t i = 0; i < count; ++i) {
    Elf64_Dyn entry{};
    if (!read_file(&entry, sizeof entry, dynamic_.p_offset + i * sizeof entry)) break;
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) tables.strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_SYMTAB) tables.symbols = entry.d_un.d_ptr;
    if (entry.d_tag == DT_RELA) tables.relocations[0].at = entry.d_un.d_ptr;
    if (entry.d_tag == DT_RELASZ) tables.relocations[0].bytes = entry.d_un.d_val;
    if (entry.d_tag == DT_JMPREL) tables.relocations[1].at = entry.d_un.d_ptr;
    if (entry.d_tag == DT_PLTRELSZ) tables.relocations[1].bytes = entry.d_un.d_val;
    if (entry.d_tag == DT_NEEDED) tables.needed.push_back(entry.d_un.d_val);
  }
  return tables;
}

std::vector<ElfImage::Import> ElfImage::imports() const {
  std::vector<Import> found;
  const Tables tables = this->tables();
  for (const auto& [at, bytes] : tables.relocations) {
    const std::size_t count = std::min<std::size_t>(bytes / sizeof(Elf64_Rela), kMostEntries);
    for (std::size_t i = 0; i < count; ++i) {
      Elf64_Rela relocation{};
      Elf64_Sym symbol{};
      if (!read_at(&relocation, sizeof relocation, at + i * sizeof relocation)) break;
      if (!fills_slot(machine_, ELF64_R_TYPE(relocation.r_info))) continue;
      const std::uint64_t number = ELF64_R_SYM(relocation.r_info);
      if (!read_at(&symbol, sizeof symbol, tables.symbols + number * sizeof symbol)) continue;
      if (symbol.st_shndx != SHN_UNDEF) continue;
      found.push_back({text_at(tables.strings + symbol.st_name), relocation.r_offset});
    }
  }
  return found;
}

std::vector<std::string> ElfImage::needed() const {
  const Tables tables = this->tables();
  std::vector<std::string> names;
  names.reserve(tables.needed.size());
  for (const std::uint64_t offset : tables.needed) {
    names.push_back(text_at(tables.strings + offset));
  }
  return names;
}

void ElfImage::for_each_code(
    const std::function<void(std::uint64_t, const unsigned char*, std::size_t)>& visit) const {
  std::vector<unsigned char> piece(kPiece + kOverlap);
  std::uint64_t seen = 0;
  for (const Elf64_Phdr& load : loads_) {
    if ((load.p_flags & PF_X) == 0) continue;
    std::size_t kept = 0;  // bytes of the piece before, at the front
    for (std::uint64_t at = 0; at < load.p_filesz && seen < kMostCode;) {
      const std::size_t size = std::min<std::uint64_t>(kPiece, load.p_filesz - at);
      if (!read_file(piece.data() + kept, size, load.p_offset + at)) break;
      visit(load.p_vaddr + at - kept, piece.data(), kept + size);
      at += size;
      seen += size;
      const std::size_t keep = std::min(kOverlap, kept + size);
      std::memmove(piece.data(), piece.data() + kept + size - keep, keep);
      kept = keep;
    }
  }
}

}  // namespace umaskaudit::inspect
