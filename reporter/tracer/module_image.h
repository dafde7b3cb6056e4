// ModuleImage: the parts of one ELF file that stacks need: its identity, and the unwind rules of
// its code. The same for all processes that have it loaded.
// Must never trust its tables, which are the traced program's bytes: they are copied, and read
// within the copy. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "preload/unwind/copied_tables.h"
#include "reporter/tracer/elf_source.h"

namespace umaskaudit::tracer {

class ModuleImage {
 public:
  // Reads everything needed. A file that is loaded again is taken from a cache.
  static std::shared_ptr<ModuleImage> of(const ElfSource& source);

  const std::string& build_id() const { return build_id_; }
  bool go() const { return go_; }
  const ElfSource::Span& span() const { return span_; }

  // The rule for an address in the image, inside an instruction of the frame. Null: no table covers
  // it.
  const shim::FrameRule* rule(std::uint64_t address);

  // The load address of the image, if `offset` of its file is mapped at `start`. False: no code
  // there.
  bool bias_of(std::uint64_t start, std::uint64_t offset, std::uint64_t& bias) const;

 private:
  explicit ModuleImage(const ElfSource& source);
  void read_notes(const ElfSource& source, const Elf64_Phdr& segment);
  bool read_sorted(const ElfSource& source, const Elf64_Phdr& header);
  bool read_unsorted(const ElfSource& source);
  void sort_entries(std::uint64_t address, std::vector<std::uint8_t> entries);
  shim::CopiedTables tables() const;

  struct Rule {
    bool found;
    shim::FrameRule rule;
  };

  std::string build_id_;
  bool go_ = false;
  ElfSource::Span span_;
  std::vector<Elf64_Phdr> code_;
  // Copies a part of the image that begins at the address, with the padding.
  std::vector<std::uint8_t> bytes_;
  std::uint64_t address_ = 0;
  std::size_t hdr_ = 0;
  std::unordered_map<std::uint64_t, Rule> rules_;
};

}  // namespace umaskaudit::tracer
