// ElfImage: an ELF64 file as the loader would map it: bytes by virtual address, and imported
// functions with the slots that calls of them use.
// Must never map or execute the file, nor trust a length in it: every read is bounded. Not libelf,
// which reads hostile files only in the child process of the symbolizer.
#pragma once

#include <elf.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace umaskaudit::inspect {

class ElfImage {
 public:
  struct Import {
    std::string name;
    std::uint64_t slot = 0;  // address of the pointer that a call goes through
  };

  explicit ElfImage(const std::string& path);
  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  // False: not an ELF64 file of this byte order, or its headers are invalid.
  bool valid() const { return !loads_.empty(); }
  std::uint16_t machine() const { return machine_; }

  // Symbols that relocations of code refer to, some thousands at most.
  std::vector<Import> imports() const;
  // Libraries that it needs (DT_NEEDED).
  std::vector<std::string> needed() const;
  // Passes executable bytes to `visit` in pieces: address, bytes, size. Each piece begins with the
  // last kOverlap bytes of the previous one.
  static constexpr std::size_t kOverlap = 64;
  void for_each_code(
      const std::function<void(std::uint64_t, const unsigned char*, std::size_t)>& visit) const;

 private:
  struct Tables;

  bool read_file(void* to, std::size_t size, std::uint64_t offset) const;
  bool read_at(void* to, std::size_t size, std::uint64_t address) const;
  std::string text_at(std::uint64_t address) const;
  Tables tables() const;

  int fd_ = -1;
  std::uint16_t machine_ = EM_NONE;
  std::vector<Elf64_Phdr> loads_;
  Elf64_Phdr dynamic_{};
};

}  // namespace umaskaudit::inspect
