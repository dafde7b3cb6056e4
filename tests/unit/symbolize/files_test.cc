// Where modules and debug files are found: stripped modules, sysroot, wrong files, symbols only.
#include <gtest/gtest.h>

#include <filesystem>

#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/symbolize/samples.h"

namespace umaskaudit::symbolize {
namespace {

namespace fs = std::filesystem;

std::string build_id_path(const std::string& id) {
  return ".build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug";
}

// A stripped copy of a victim below a temporary directory, and its debug file.
class StrippedTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tool : {"objcopy", "strip"}) {
      if (!has_tool(tool)) GTEST_SKIP() << tool << " (binutils) is not installed";
    }
    samples_ = samples_of("libvictim.so");
    strip("libvictim.so");
  }

  void strip(const std::string& file) {
    module_ = temp_.path("lib/libx.so");
    debug_ = temp_.path("libx.debug");
    fs::create_directories(temp_.path("lib"));
    run_tool({"objcopy", "--only-keep-debug", victim(file), debug_});
    run_tool({"strip", "-o", module_, victim(file)});
  }

  void move_debug_file(const std::string& to) {
    fs::create_directories(fs::path(to).parent_path());
    fs::rename(debug_, to);
  }

  void expect_all(Symbolizer& symbolizer, const std::string& module) {
    for (const Sample& sample : samples_) {
      expect_frames(sample, symbolizer.lookup(module, sample.build_id, sample.offset));
    }
    EXPECT_TRUE(symbolizer.notes().empty()) << symbolizer.notes().at(0);
  }

  TempDir temp_;
  std::vector<Sample> samples_;
  std::string module_;
  std::string debug_;
};

TEST_F(StrippedTest, OnlyDynamicSymbolsAreLeft) {
  Symbolizer symbolizer({});
  const Sample& outermost = samples_.back();
  const auto frames = symbolizer.lookup(module_, outermost.build_id, outermost.offset);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].symbol, outermost.places.at(0).function);
  EXPECT_EQ(frames[0].file, "");
  EXPECT_TRUE(symbolizer.notes().empty());
}

TEST_F(StrippedTest, DebugFileByBuildId) {
  move_debug_file(temp_.path("dbg/" + build_id_path(samples_[0].build_id)));
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  expect_all(symbolizer, module_);
}

TEST_F(StrippedTest, DebugFileStandsInForAMissingModule) {
  move_debug_file(temp_.path("dbg/" + build_id_path(samples_[0].build_id)));
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  expect_all(symbolizer, "/no/such/libx.so");
}

TEST_F(StrippedTest, DebugFileByDebugLink) {
  run_tool({"objcopy", "--add-gnu-debuglink=" + debug_, module_});
  move_debug_file(temp_.path("lib/.debug/libx.debug"));
  Symbolizer symbolizer({});
  expect_all(symbolizer, module_);
}

TEST_F(StrippedTest, DebugLinkBelowADebugDirectory) {
  run_tool({"objcopy", "--add-gnu-debuglink=" + debug_, module_});
  move_debug_file(temp_.path("dbg") + temp_.path("lib/libx.debug"));
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  expect_all(symbolizer, module_);
}

TEST_F(StrippedTest, WithoutBuildIdTheChecksumDecides) {
  samples_ = samples_of("libvictim_no_id.so");
  ASSERT_EQ(samples_[0].build_id, "");
  strip("libvictim_no_id.so");
  run_tool({"objcopy", "--add-gnu-debuglink=" + debug_, module_});
  const std::string good = read_file(debug_);
  move_debug_file(temp_.path("lib/libx.debug"));
  {
    Symbolizer symbolizer({});
    expect_all(symbolizer, module_);
  }
  write_file(temp_.path("lib/libx.debug"), good + "x");
  Symbolizer symbolizer({});
  const auto frames = symbolizer.lookup(module_, "", samples_[0].offset);
  EXPECT_EQ(frames.at(0).file, "");
}

TEST_F(StrippedTest, DebugFileOfAnotherBuildIsRefused) {
  run_tool(
      {"objcopy", "--only-keep-debug", victim("libvictim_dwarf4.so"), temp_.path("other.debug")});
  fs::rename(temp_.path("other.debug"), debug_);
  move_debug_file(temp_.path("dbg/" + build_id_path(samples_[0].build_id)));
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  const auto frames = symbolizer.lookup(module_, samples_[0].build_id, samples_[0].offset);
  EXPECT_EQ(frames.at(0).file, "");
}

TEST_F(StrippedTest, SysrootHoldsModuleAndDebugFile) {
  const std::string sysroot = temp_.path("sysroot");
  fs::create_directories(sysroot + "/usr/lib");
  fs::rename(module_, sysroot + "/usr/lib/libx.so.1");
  // Absolute links mean the copied system, not this one.
  fs::create_symlink("/usr/lib", sysroot + "/lib");
  fs::create_symlink("/lib/libx.so.1", sysroot + "/usr/lib/libx.so");
  move_debug_file(sysroot + "/usr/lib/debug/" + build_id_path(samples_[0].build_id));
  Symbolizer symbolizer(with_sysroot(sysroot));
  expect_all(symbolizer, "/lib/libx.so");
}

TEST_F(StrippedTest, SysrootHidesTheHost) {
  fs::create_directories(temp_.path("sysroot"));
  Symbolizer symbolizer(with_sysroot(temp_.path("sysroot")));
  const Sample& sample = samples_[0];
  EXPECT_EQ(symbolizer.lookup(sample.module, sample.build_id, sample.offset).at(0).symbol, "");
  ASSERT_EQ(symbolizer.notes().size(), 1u);
  EXPECT_EQ(symbolizer.notes()[0], sample.module + ": No such file or directory");
}

TEST_F(StrippedTest, AProgramWithoutAnySymbolIsNamed) {
  strip("mute");  // unlike a library, it exports nothing
  const Result<ElfFile> file = open_elf("", module_);
  ASSERT_TRUE(file) << file.error().why;
  Symbolizer symbolizer({});
  EXPECT_EQ(symbolizer.lookup(module_, file->build_id, 0x1100).at(0).symbol, "");
  EXPECT_EQ(symbolizer.notes(),
            std::vector<std::string>{module_ + ": no symbols in it, and no debug file"});
  move_debug_file(temp_.path("dbg/" + build_id_path(file->build_id)));
  Symbolizer with_debug(with_debug_dir(temp_.path("dbg")));
  with_debug.lookup(module_, file->build_id, 0x1100);
  EXPECT_TRUE(with_debug.notes().empty());
}

TEST_F(StrippedTest, SymbolsPackedByLzmaAreRead) {
  if (!has_tool("xz")) GTEST_SKIP() << "xz is not installed";
  // Fedora's mini debug information: the symbol table alone, compressed, within the module.
  const std::string mini = temp_.path("mini");
  run_tool({"strip", "-g", "-o", mini, victim("libvictim.so")});
  run_tool({"xz", mini});
  run_tool({"objcopy", "--add-section", ".gnu_debugdata=" + mini + ".xz", module_});
  Symbolizer symbolizer({});
  bool local_seen = false;
  for (const Sample& sample : samples_) {
    const Frame frame = symbolizer.lookup(module_, sample.build_id, sample.offset).at(0);
    EXPECT_NE(frame.symbol.find(sample.places.back().function), std::string::npos) << frame.symbol;
    local_seen = local_seen || frame.symbol == "c_static";
  }
  EXPECT_TRUE(local_seen);
}

TEST_F(StrippedTest, CompressedDebugFile) {
  run_tool({"objcopy", "--compress-debug-sections=zlib", debug_});
  move_debug_file(temp_.path("dbg/" + build_id_path(samples_[0].build_id)));
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  expect_all(symbolizer, module_);
}

TEST_F(StrippedTest, DwarfSharedByDwz) {
  if (!has_tool("dwz")) GTEST_SKIP() << "dwz is not installed";
  // As Debian's debug packages are: what two files have in common moves to a third one.
  const std::string common = temp_.path("common.debug");
  const std::string other = temp_.path("other.so");
  fs::copy_file(victim("libvictim_dwarf4.so"), other);
  fs::copy_file(victim("libvictim_dwarf4.so"), temp_.path("lib/liby.so"));
  run_tool({"dwz", "-m", common, other, temp_.path("lib/liby.so")});
  // Away from where its name says: only the search by build id finds it now.
  const Result<ElfFile> found = open_elf("", common, ElfKind::any);
  ASSERT_TRUE(found) << found.error().why;
  const std::string moved = temp_.path("dbg/" + build_id_path(found->build_id));
  fs::create_directories(fs::path(moved).parent_path());
  fs::rename(common, moved);
  samples_ = samples_of("libvictim_dwarf4.so");
  Symbolizer symbolizer(with_debug_dir(temp_.path("dbg")));
  expect_all(symbolizer, temp_.path("lib/liby.so"));
}

TEST(Files, ChangedModuleIsNamedAndNotUsed) {
  const Sample sample = samples_of("libvictim.so").at(0);
  Symbolizer symbolizer({});
  const auto frames = symbolizer.lookup(sample.module, "0123456789abcdef", sample.offset);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].symbol, "");
  EXPECT_EQ(frames[0].offset, sample.offset);
  ASSERT_EQ(symbolizer.notes().size(), 1u);
  EXPECT_EQ(symbolizer.notes()[0],
            sample.module + " changed since the recording (build id 0123456789abcdef recorded, " +
                sample.build_id + " on disk)");
  // Said once, not for each frame.
  symbolizer.lookup(sample.module, "0123456789abcdef", sample.offset + 1);
  EXPECT_EQ(symbolizer.notes().size(), 1u);
}

TEST(Files, RelativePathNeedsABuildId) {
  const Sample sample = samples_of("libvictim.so").at(0);
  const std::string relative = fs::relative(sample.module).string();
  const std::string path = relative.find('/') == std::string::npos ? "./" + relative : relative;
  Symbolizer symbolizer({});
  EXPECT_EQ(symbolizer.lookup(path, "", sample.offset).at(0).symbol, "");
  EXPECT_EQ(symbolizer.notes().size(), 1u);
  expect_frames(sample, symbolizer.lookup(path, sample.build_id, sample.offset));
}

}  // namespace
}  // namespace umaskaudit::symbolize
