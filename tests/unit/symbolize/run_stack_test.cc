// Symbolizer::stack over a recorded run: module ids, generated code, stacks that were lost.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/reader/run_helpers.h"
#include "tests/unit/symbolize/samples.h"

namespace umaskaudit::symbolize {
namespace {

using testing::open_or_die;
using testing::RunDirectory;
using testing::SegmentBuilder;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::uint64_t frame_of(std::uint64_t module, std::uint64_t offset) {
  return module << trace::kFrameModuleShift | offset;
}

TEST(RunStack, FramesOfARecordedStack) {
  const std::vector<Sample> samples = samples_of("libvictim.so");
  const Sample& inner = samples.front();
  const Sample& outer = samples.back();
  SegmentBuilder segment(100);
  begin_image(&segment, "app");
  trace::Module module{};
  module.id = 7;
  segment.module({}, module, from_hex(inner.build_id), inner.module);
  trace::Stack stack{};
  stack.id = 3;
  segment.stack({}, stack,
                {frame_of(7, inner.offset), frame_of(0, 0x1234), frame_of(7, outer.offset)});
  segment.umask({}, [] {
    trace::Umask fixed = testing::mask_change(1, 1, 022, 0);
    fixed.stack = 3;
    return fixed;
  }());
  const RunDirectory directory;
  directory.add(segment);
  const testing::ReadRun run = open_or_die(directory.path());
  const auto events = testing::only<UmaskEvent>(run);
  ASSERT_EQ(events.size(), 1u);

  Symbolizer symbolizer({});
  const std::vector<Frame> frames = symbolizer.stack(run, events[0].stack);
  ASSERT_EQ(frames.size(), inner.places.size() + 1 + outer.places.size());
  const auto generated = frames.begin() + static_cast<std::ptrdiff_t>(inner.places.size());
  expect_frames(inner, {frames.begin(), generated});
  EXPECT_EQ(generated->module, "");
  EXPECT_EQ(generated->symbol, "");
  EXPECT_EQ(generated->offset, 0x1234u);
  expect_frames(outer, {generated + 1, frames.end()});
  EXPECT_TRUE(symbolizer.stack(run, {events[0].stack.segment, 99}).empty());
}

}  // namespace
}  // namespace umaskaudit::symbolize
