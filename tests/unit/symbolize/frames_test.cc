// Frames of real programs against what the compiler itself said about each call, and against an
// independent reader of DWARF.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "reporter/symbolize/resolver.h"
#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/symbolize/samples.h"

namespace umaskaudit::symbolize {
namespace {

class VictimTest : public testing::TestWithParam<const char*> {};

TEST_P(VictimTest, EveryCallHasItsFunctionLineAndInlinedCallers) {
  if (!std::filesystem::exists(victim(GetParam()))) GTEST_SKIP() << "clang is not installed";
  Symbolizer symbolizer({});
  for (const Sample& sample : samples_of(GetParam())) {
    expect_frames(sample, symbolizer.lookup(sample.module, sample.build_id, sample.offset));
  }
  EXPECT_TRUE(symbolizer.notes().empty());
}

TEST_P(VictimTest, TheWayThroughTheChildChangesNothing) {
  if (!std::filesystem::exists(victim(GetParam()))) GTEST_SKIP() << "clang is not installed";
  Symbolizer symbolizer({});
  Resolver resolver({});
  for (const Sample& sample : samples_of(GetParam())) {
    const std::uint64_t call = sample.offset - 1;
    const ModulePlaces here =
        resolver.resolve({sample.module, sample.build_id}, std::span(&call, 1));
    Places there;
    for (const Frame& f : symbolizer.lookup(sample.module, sample.build_id, sample.offset)) {
      there.push_back({f.symbol, f.file, f.line, f.inlined, f.language});
    }
    EXPECT_EQ(here.places.at(0), there);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, VictimTest,
                         testing::Values("libvictim.so", "libvictim_dwarf4.so",
                                         "libvictim_split.so", "libvictim_high.so",
                                         "libvictim_clang.so", "libvictim_no_id.so", "victim_pie",
                                         "victim_no_pie"),
                         [](const auto& kind) {
                           std::string name = kind.param;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST(Frames, NamesOfInternalLinkageAreComplete) {
  Symbolizer symbolizer({});
  std::string all;
  for (const Sample& sample : samples_of("libvictim.so")) {
    for (const Frame& frame : symbolizer.lookup(sample.module, sample.build_id, sample.offset)) {
      all += frame.symbol + "\n";
    }
  }
  EXPECT_NE(all.find("zoo::(anonymous namespace)::Hidden::inlined"), std::string::npos) << all;
  EXPECT_NE(all.find("zoo::(anonymous namespace)::hidden_function"), std::string::npos) << all;
  EXPECT_NE(all.find("zoo::(anonymous namespace)::with_lambda"), std::string::npos) << all;
  EXPECT_NE(all.find("zoo::Keeper::feed(int)"), std::string::npos) << all;
  EXPECT_NE(all.find("zoo::through<int>"), std::string::npos) << all;
}

// File and line of each place at an address, as binutils reads them: "victim.cc:12", ...
std::vector<std::string> addr2line(const std::string& module, std::uint64_t address) {
  std::ostringstream hex;
  hex << std::hex << address;
  std::istringstream out(run_tool({"addr2line", "-i", "-e", module, hex.str()}));
  std::vector<std::string> places;
  for (std::string line; std::getline(out, line);) {
    line = line.substr(0, line.find(" (discriminator"));
    places.push_back(std::filesystem::path(line).filename().string());
  }
  return places;
}

TEST(Frames, EachByteOfTheCodeAgreesWithAddr2line) {
  if (!has_tool("addr2line")) GTEST_SKIP() << "addr2line (binutils) is not installed";
  const std::vector<Sample> samples = samples_of("libvictim.so");
  Resolver resolver({});
  std::size_t compared = 0;
  for (const Sample& sample : samples) {
    for (std::uint64_t address = sample.offset - 24; address < sample.offset + 8; address += 4) {
      const std::vector<std::string> expected = addr2line(sample.module, address);
      if (expected.empty() || expected[0].starts_with("?")) continue;
      const ModulePlaces answer =
          resolver.resolve({sample.module, sample.build_id}, std::span(&address, 1));
      std::vector<std::string> places;
      for (const Location& place : answer.places.at(0)) {
        places.push_back(std::filesystem::path(place.file).filename().string() + ":" +
                         (place.line == 0 ? "?" : std::to_string(place.line)));
      }
      EXPECT_EQ(places, expected) << std::hex << address;
      ++compared;
    }
  }
  EXPECT_GT(compared, samples.size());
}

TEST(Frames, WithoutSymbolsNothingIsOpened) {
  const Sample sample = samples_of("libvictim.so").at(0);
  SymbolOptions options;
  options.symbols = false;
  Symbolizer symbolizer(options);
  const auto frames = symbolizer.lookup(sample.module, sample.build_id, sample.offset);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].module, sample.module);
  EXPECT_EQ(frames[0].offset, sample.offset);
  EXPECT_EQ(frames[0].symbol, "");
  EXPECT_EQ(symbolizer.lookup("/no/such/file", "", 1).size(), 1u);
  EXPECT_TRUE(symbolizer.notes().empty());
}

TEST(Frames, GeneratedCodeAndTheVdsoAreNoNews) {
  Symbolizer symbolizer({});
  EXPECT_EQ(symbolizer.lookup("linux-vdso.so.1", "", 0x123).size(), 1u);
  EXPECT_EQ(symbolizer.lookup("", "", 0x7f0000001234).size(), 1u);
  EXPECT_TRUE(symbolizer.notes().empty());
}

}  // namespace
}  // namespace umaskaudit::symbolize
