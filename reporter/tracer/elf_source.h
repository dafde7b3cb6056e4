// ElfSource: the bytes of an ELF image, from its file or from a process that has mapped it.
// Must never map a file (its program may truncate it), nor trust a number in it: reads are bounded.
#pragma once

#include <elf.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "reporter/tracer/process_memory.h"

namespace umaskaudit::tracer {

class ElfSource {
 public:
  // Takes ownership of the descriptor. Nothing: not an ELF file of this word size and byte order.
  static std::optional<ElfSource> of_file(int fd);
  // `start`: the address of the ELF header in the process.
  static std::optional<ElfSource> of_memory(ProcessMemory memory, std::uint64_t start);

  ElfSource(ElfSource&& other) noexcept;
  ElfSource& operator=(ElfSource&&) = delete;
  ~ElfSource();

  const Elf64_Ehdr& header() const { return header_; }
  const std::vector<Elf64_Phdr>& segments() const { return segments_; }
  bool is_file() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // The addresses of the loaded segments. Empty: there are none.
  struct Span {
    std::uint64_t begin = 0;  // rounded down to a page
    std::uint64_t end = 0;
  };
  Span span() const;

  // Reads up to `size` bytes by an address in the image, or by a file offset; fewer at the end.
  std::vector<std::uint8_t> read(std::uint64_t address, std::uint64_t size) const;
  std::vector<std::uint8_t> read_file(std::uint64_t offset, std::uint64_t size) const;

 private:
  ElfSource(int fd, ProcessMemory memory, std::uint64_t start)
      : fd_(fd), memory_(memory), start_(start) {}
  bool read_headers();
  std::size_t read_some(std::uint64_t offset, void* to, std::size_t size) const;

  int fd_;  // -1: reads memory
  ProcessMemory memory_;
  std::uint64_t start_;
  std::uint64_t bias_ = 0;  // load bias, for a process's memory
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> segments_;
};

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t page_of(std::uint64_t address) { return address & ~(kPage - 1); }

}  // namespace umaskaudit::tracer
