// Reads with bounds; see elf_source.h.

#include "reporter/tracer/elf_source.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace umaskaudit::tracer {

namespace {

// The most memory to allocate at once, whatever a file claims.
constexpr std::uint64_t kPiece = 1 << 20;
constexpr std::uint64_t kMostBytes = 64 << 20;

}  // namespace

ElfSource::ElfSource(ElfSource&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      memory_(other.memory_),
      start_(other.start_),
      bias_(other.bias_),
      header_(other.header_),
      segments_(std::move(other.segments_)) {}

ElfSource::~ElfSource() {
  if (fd_ >= 0) close(fd_);
}

std::optional<ElfSource> ElfSource::of_file(int fd) {
  if (fd < 0) return std::nullopt;
  ElfSource source(fd, ProcessMemory(0), 0);
  if (!source.read_headers()) return std::nullopt;
  return source;
}

std::optional<ElfSource> ElfSource::of_memory(ProcessMemory memory, std::uint64_t start) {
  ElfSource source(-1, memory, start);
  if (!source.read_headers()) return std::nullopt;
  // The header is at the beginning of the file, in the first segment.
  const Span span = source.span();
  source.bias_ = start - span.begin;
  return source;
}

std::size_t ElfSource::read_some(std::uint64_t offset, void* to, std::size_t size) const {
  if (fd_ < 0) return memory_.read(start_ + offset, to, size);
  if (offset > INT64_MAX) return 0;
  const ssize_t got = pread(fd_, to, size, static_cast<off_t>(offset));
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool ElfSource::read_headers() {
  if (read_some(0, &header_, sizeof header_) != sizeof header_) return false;
  constexpr auto kOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 || header_.e_ident[EI_CLASS] != ELFCLASS64 ||
      header_.e_ident[EI_DATA] != kOrder || header_.e_phentsize != sizeof(Elf64_Phdr)) {
    return false;
  }
  segments_.resize(header_.e_phnum);
  const std::size_t size = segments_.size() * sizeof(Elf64_Phdr);
  if (read_some(header_.e_phoff, segments_.data(), size) != size) return false;
  const Span loaded = span();
  return loaded.begin < loaded.end;
}

ElfSource::Span ElfSource::span() const {
  Span span{UINT64_MAX, 0};
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || segment.p_vaddr > UINT64_MAX - segment.p_memsz) continue;
    span.begin = std::min(span.begin, page_of(segment.p_vaddr));
    span.end = std::max(span.end, segment.p_vaddr + segment.p_memsz);
  }
  return span;
}

std::vector<std::uint8_t> ElfSource::read_file(std::uint64_t offset, std::uint64_t size) const {
  std::vector<std::uint8_t> bytes;
  size = std::min(size, kMostBytes);
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(before + std::min(kPiece, size - before));
    const std::size_t got = read_some(offset + before, &bytes[before], bytes.size() - before);
    if (got == bytes.size() - before) continue;
    bytes.resize(before + got);
    break;
  }
  return bytes;
}

std::vector<std::uint8_t> ElfSource::read(std::uint64_t address, std::uint64_t size) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t distance = address - segment.p_vaddr;
    if (distance >= segment.p_filesz) continue;
    const std::uint64_t place = fd_ >= 0 ? segment.p_offset : segment.p_vaddr + bias_ - start_;
    return read_file(place + distance, std::min(size, segment.p_filesz - distance));
  }
  return {};
}

}  // namespace umaskaudit::tracer
