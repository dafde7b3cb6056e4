// An ELF64 file as the loader would lay it out: bytes by their virtual address, imported functions
// with the slots that calls of them go through.
// Must never map or execute the file, nor believe a length in it: every read is bounded.
// Called by code_hints.cc.
#pragma once

#include <elf.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace umaskaudit {

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

  // False: no ELF64 file of this byte order, or its headers make no sense.
  bool valid() const { return !loads_.empty(); }
  std::uint16_t machine() const { return machine_; }

  // Symbols that relocations of code name, at most some thousands.
  std::vector<Import> imports() const;
  // Libraries that it is linked with (DT_NEEDED).
  std::vector<std::string> needed() const;
  // Hands executable bytes to `visit` piece by piece: address, bytes, their count. Each piece
  // begins with the last kOverlap bytes of the one before.
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

}  // namespace umaskaudit
