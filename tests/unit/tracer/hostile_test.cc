// Files that lie about themselves: nothing outside of them is read. For AddressSanitizer above all.

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "reporter/tracer/mappings.h"
#include "reporter/tracer/module_image.h"

namespace umaskaudit::tracer {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::string& name) {
  std::ifstream file(std::string(PROGRAM_DIR) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Words of a stack that is not there, which decide nothing.
struct NoStack {
  bool read_and_depend(std::uint64_t address, std::uint64_t& word) {
    word = address * 3;
    return address % 2 == 0;
  }
};

void try_expression(const std::uint8_t* block) {
  if (block == nullptr) return;
  NoStack stack;
  const std::uint64_t initial = 4096;
  std::uint64_t out = 0;
  shim::evaluate_copied(block, {8, 16, 24}, &initial, stack, out);
}

// Asks for the rules of all code. Returns how many there are.
unsigned read_everything(const Bytes& bytes, std::uint64_t step = 7) {
  const int fd = memfd_create("hostile", MFD_CLOEXEC);
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const auto source = ElfSource::of_file(fd);
  if (!source) return 0;
  const auto image = ModuleImage::of(*source);
  const ElfSource::Span span = image->span();
  constexpr std::uint64_t kMostCode = 1 << 20;
  unsigned found = 0;
  for (std::uint64_t at = 0; at < kMostCode && at < span.end - span.begin; at += step) {
    const shim::FrameRule* rule = image->rule(span.begin + at);
    if (rule == nullptr) continue;
    ++found;
    try_expression(rule->cfa_expression);
    try_expression(rule->rbp_expression);
    try_expression(rule->pc_expression);
    try_expression(rule->sp_expression);
  }
  return found;
}

// The segment with .eh_frame_hdr, and what is behind it.
Elf64_Phdr tables_of(const Bytes& bytes) {
  Elf64_Ehdr header;
  memcpy(&header, bytes.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, &bytes[header.e_phoff + i * sizeof segment], sizeof segment);
    if (segment.p_type == PT_GNU_EH_FRAME) return segment;
  }
  return {};
}

class Hostile : public testing::TestWithParam<const char*> {};

TEST_P(Hostile, CutShort) {
  const Bytes whole = bytes_of(GetParam());
  ASSERT_GT(read_everything(whole), 0u);
  for (std::size_t i = 0; i < 64; ++i) {
    read_everything(Bytes(whole.begin(), whole.begin() + static_cast<long>(whole.size() * i / 64)),
                    67);
  }
}

TEST_P(Hostile, AnyByteChanged) {
  const Bytes whole = bytes_of(GetParam());
  const Elf64_Phdr tables = tables_of(whole);
  // Headers; the tables, where a header says where they are; all of the file.
  const std::uint64_t places[][2] = {
      {0, 1024}, {tables.p_offset, tables.p_offset + 8192}, {0, whole.size()}};
  std::mt19937 random(17);  // NOLINT: the same each time
  for (const auto& [begin, end] : places) {
    for (unsigned i = 0; i < 150; ++i) {
      Bytes changed = whole;
      for (unsigned k = 0; k < 1 + i; ++k) {
        const std::size_t at = begin + random() % (end - begin);
        if (at < changed.size()) changed[at] = static_cast<std::uint8_t>(random());
      }
      memcpy(changed.data(), whole.data(), 32);  // still an ELF file
      read_everything(changed, 67);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Hostile,
                         testing::Values("deep_dynamic", "deep_static", "deep_static_pie"));

TEST(HostileTables, WildCounts) {
  const Bytes whole = bytes_of("deep_dynamic");
  const Elf64_Phdr tables = tables_of(whole);
  ASSERT_NE(tables.p_offset, 0u);
  for (const std::uint32_t count : {0u, 1u, 0x1000u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    Bytes changed = whole;
    memcpy(&changed[tables.p_offset + 8], &count, sizeof count);
    // Without a table that can be searched, the tracer indexes .eh_frame itself.
    if (count > 0x1000) {
      EXPECT_EQ(read_everything(changed), read_everything(whole));
    } else {
      read_everything(changed);
    }
  }
}

TEST(Mappings, AreReadAsTheKernelWritesThem) {
  const auto mappings = parse_mappings(
      "55d0c0a00000-55d0c0a01000 r-xp 00002000 fd:01 1234567                  /a b\\012c "
      "(deleted)\n"
      "7ffd1e5fe000-7ffd1e600000 r-xp 00000000 00:00 0                        [vdso]\n"
      "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
      "nonsense\n"
      "7f0000000000-\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                [vsyscall]");
  ASSERT_EQ(mappings.size(), 4u);
  EXPECT_EQ(mappings[0].start, 0x55d0c0a00000u);
  EXPECT_EQ(mappings[0].end, 0x55d0c0a01000u);
  EXPECT_EQ(mappings[0].offset, 0x2000u);
  EXPECT_EQ(mappings[0].inode, 1234567u);
  EXPECT_EQ(mappings[0].path, "/a b\nc");
  EXPECT_TRUE(mappings[0].executable);
  EXPECT_EQ(mappings[1].path, "[vdso]");
  EXPECT_FALSE(mappings[2].executable);
  EXPECT_EQ(mappings[2].path, "");
  EXPECT_EQ(mappings[3].end, 0xffffffffff601000u);
}

}  // namespace
}  // namespace umaskaudit::tracer
