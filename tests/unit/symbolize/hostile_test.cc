// Module files that are malformed or no files at all: the writer of a trace chooses their names.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/symbolize/samples.h"

namespace umaskaudit::symbolize {
namespace {

namespace fs = std::filesystem;

class HostileTest : public testing::Test {
 protected:
  void SetUp() override {
    samples_ = samples_of("libvictim.so");
    bytes_ = read_file(victim("libvictim.so"));
  }

  // The symboliser still works for a good module.
  void expect_alive(Symbolizer& symbolizer) {
    const Sample& good = samples_[0];
    expect_frames(good, symbolizer.lookup(good.module, good.build_id, good.offset));
  }

  std::string why_unusable(const std::string& path) {
    Symbolizer symbolizer({});
    EXPECT_EQ(symbolizer.lookup(path, "", samples_[0].offset).size(), 1u);
    expect_alive(symbolizer);
    if (symbolizer.notes().size() != 1 || !symbolizer.notes()[0].starts_with(path + ": ")) {
      return "no single note";
    }
    return symbolizer.notes()[0].substr(path.size() + 2);
  }

  // All samples, whatever comes of it.
  void look_up_all(Symbolizer& symbolizer, const std::string& path) {
    std::vector<RecordedAddress> addresses;
    for (const Sample& sample : samples_) addresses.push_back({path, "", sample.offset});
    EXPECT_GE(symbolizer.lookup(addresses).size(), samples_.size());
  }

  TempDir temp_;
  std::vector<Sample> samples_;
  std::string bytes_;
};

TEST_F(HostileTest, OnlyRegularElfProgramsAreRead) {
  const std::string fifo = temp_.path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(why_unusable(fifo), "not a regular file");
  fs::create_symlink(fifo, temp_.path("link"));
  EXPECT_EQ(why_unusable(temp_.path("link")), "not a regular file");
  EXPECT_EQ(why_unusable("/dev/zero"), "not a regular file");
  EXPECT_EQ(why_unusable(temp_.path()), "not a regular file");
  EXPECT_EQ(why_unusable(temp_.path("missing")), "No such file or directory");
  write_file(temp_.path("empty"), "");
  EXPECT_EQ(why_unusable(temp_.path("empty")), "not an ELF file");
  write_file(temp_.path("text"), "#!/bin/sh\nexit 0\n");
  EXPECT_EQ(why_unusable(temp_.path("text")), "not an ELF file");
  write_file(temp_.path("magic"), "\177ELF");
  EXPECT_EQ(why_unusable(temp_.path("magic")), "damaged ELF file");
  std::string object = bytes_;
  object[16] = 1;  // e_type: ET_REL
  write_file(temp_.path("object"), object);
  EXPECT_EQ(why_unusable(temp_.path("object")), "not an ELF program or shared library");
}

TEST_F(HostileTest, DebugLinkToAFifoDoesNotBlock) {
  if (!has_tool("objcopy")) GTEST_SKIP() << "objcopy (binutils) is not installed";
  const std::string module = temp_.path("libx.so");
  const std::string fifo = temp_.path("libx.debug");
  write_file(fifo, "placeholder for the checksum");
  run_tool({"objcopy", "-g", "--add-gnu-debuglink=" + fifo, victim("libvictim.so"), module});
  fs::remove(fifo);
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Symbolizer symbolizer({});
  look_up_all(symbolizer, module);
  EXPECT_TRUE(symbolizer.notes().empty());
}

// Nothing else tells whose file it is, and its checksum would take minutes.
TEST_F(HostileTest, DebugLinkToAHugeSparseFileIsSaidAndNotRead) {
  if (!has_tool("objcopy")) GTEST_SKIP() << "objcopy (binutils) is not installed";
  const std::string module = temp_.path("libx.so");
  const std::string debug = temp_.path("libx.debug");
  write_file(debug, bytes_);
  run_tool({"objcopy", "-g", "--remove-section=.note.gnu.build-id", "--add-gnu-debuglink=" + debug,
            victim("libvictim.so"), module});
  std::error_code error;
  fs::resize_file(debug, std::uintmax_t{1} << 40, error);
  if (error) GTEST_SKIP() << "no sparse file of 1 TiB here: " << error.message();
  Symbolizer symbolizer({});
  EXPECT_FALSE(symbolizer.lookup(module, "", samples_.back().offset).at(0).symbol.empty());
  ASSERT_EQ(symbolizer.notes().size(), 1u);
  EXPECT_NE(symbolizer.notes().begin()->find("too large"), std::string::npos);
}

TEST_F(HostileTest, SharedDwarfInAFifoDoesNotBlock) {
  if (!has_tool("objcopy")) GTEST_SKIP() << "objcopy (binutils) is not installed";
  const std::string module = temp_.path("libx.so");
  const std::string fifo = temp_.path("common");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  write_file(temp_.path("altlink"), fifo + std::string(1, '\0') + std::string(20, '\x11'));
  run_tool({"objcopy", "--add-section", ".gnu_debugaltlink=" + temp_.path("altlink"),
            victim("libvictim.so"), module});
  Symbolizer symbolizer({});
  look_up_all(symbolizer, module);
  // The DWARF cannot be believed without its other half; symbols still can.
  const Frame frame = symbolizer.lookup(module, "", samples_.back().offset).at(0);
  EXPECT_EQ(frame.symbol, samples_.back().places[0].function);
  EXPECT_EQ(frame.file, "");
}

TEST_F(HostileTest, HugeSparseFileIsRefused) {
  const std::string path = temp_.path("huge");
  write_file(path, bytes_.substr(0, 64));
  std::error_code error;
  fs::resize_file(path, std::uintmax_t{1} << 43, error);
  if (error) GTEST_SKIP() << "no sparse file of 8 TiB here: " << error.message();
  Symbolizer symbolizer({});
  look_up_all(symbolizer, path);
  expect_alive(symbolizer);
}

TEST_F(HostileTest, TruncatedAnywhere) {
  Symbolizer symbolizer({});
  const std::string path = temp_.path("cut-");
  for (std::size_t size = 0; size < bytes_.size(); size += size < 1024 ? 37 : 997) {
    write_file(path + std::to_string(size), bytes_.substr(0, size));
    look_up_all(symbolizer, path + std::to_string(size));
    fs::remove(path + std::to_string(size));
  }
  expect_alive(symbolizer);
}

TEST_F(HostileTest, FlippedBytesAnywhere) {
  constexpr int kRounds = 40;
  constexpr int kFilesARound = 10;
  std::mt19937 random(20240607);  // always the same flips
  for (int round = 0; round < kRounds; ++round) {
    // A new one each time: after many crashes it would rightly stop to look at all.
    Symbolizer symbolizer({});
    for (int i = 0; i < kFilesARound; ++i) {
      std::string bad = bytes_;
      // Odd rounds leave the ELF headers and code alone: the DWARF comes behind them.
      const std::size_t from = round % 2 == 1 ? bad.size() / 3 : 0;
      std::uniform_int_distribution<std::size_t> where(from, bad.size() - 1);
      for (int flips = 0; flips < 1 + i * 4; ++flips) {
        bad[where(random)] = static_cast<char>(random());
      }
      const std::string path = temp_.path("flip-" + std::to_string(i));
      write_file(path, bad);
      look_up_all(symbolizer, path);
    }
    expect_alive(symbolizer);
  }
}

TEST(ElfFile, ChecksumIsTheOneOfTheDebugLink) {
  const TempDir temp;
  write_file(temp.path("check"), "123456789");
  const Descriptor fd(open(temp.path("check").c_str(), O_RDONLY | O_CLOEXEC));
  std::uint32_t crc = 0;
  ASSERT_TRUE(file_crc32(fd.get(), 1 << 20, crc));
  EXPECT_EQ(crc, 0xCBF43926u);  // the check value of CRC-32/ISO-HDLC
}

}  // namespace
}  // namespace umaskaudit::symbolize
