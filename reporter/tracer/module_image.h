// What stacks need of one ELF file: its identity, and how to get from each of its frames to the
// caller. The same for all processes that have it loaded.
// Must never trust the tables in it, which are the traced program's bytes: they are copied, and
// read within the copy. Called by address_space.cc, by one thread.
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
  // Reads all that is needed of it. A file that is loaded again is not read again.
  static std::shared_ptr<ModuleImage> of(const ElfSource& source);

  const std::string& build_id() const { return build_id_; }
  bool go() const { return go_; }
  const ElfSource::Span& span() const { return span_; }

  // By an address in the image, inside an instruction of the frame. Null: it has no table for that.
  const shim::FrameRule* rule(std::uint64_t address);

  // Where the image lies, if `offset` of its file is mapped at `start`. False: no code is there.
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
  // A part of the image that begins at the address, and the padding.
  std::vector<std::uint8_t> bytes_;
  std::uint64_t address_ = 0;
  std::size_t hdr_ = 0;
  std::unordered_map<std::uint64_t, Rule> rules_;
};

}  // namespace umaskaudit::tracer
