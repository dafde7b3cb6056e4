// When a chunk of the segment may be unmapped: written_chunks.h.

#include "preload/record/written_chunks.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "preload/trace/format.h"

namespace umaskaudit::shim {
namespace {

class WrittenChunks : public ::testing::Test {
 protected:
  // A record that fills the bytes from `at` on; 0: begun, or not even that.
  void put(std::uint32_t at, std::uint32_t length, std::uint32_t commit) {
    trace::RecordHeader header{};
    header.commit = commit;
    header.length = length;
    std::memcpy(bytes_.data() + at, &header, sizeof header);
  }
  bool written(unsigned chunk) const {
    return is_written(chunk, bytes_.data(), static_cast<std::uint32_t>(bytes_.size()));
  }

  alignas(8) std::array<unsigned char, 256> bytes_{};
};

TEST_F(WrittenChunks, IsFullOfCommittedRecords) {
  put(0, 64, 1);
  put(64, 192, 1);
  EXPECT_TRUE(written(1));
}

TEST_F(WrittenChunks, WaitsForEachRecord) {
  put(0, 64, 1);
  EXPECT_FALSE(written(2)) << "nothing is known of the rest";
  put(64, 64, 0);
  put(128, 128, 1);
  EXPECT_FALSE(written(2)) << "begun";
  put(64, 64, 1);
  EXPECT_TRUE(written(2));
}

TEST_F(WrittenChunks, KnowsTheGapsOnBothSides) {
  put(64, 64, 1);
  put(128, 64, 1);
  EXPECT_FALSE(written(3));
  note_gap(2, 200, 64);
  EXPECT_FALSE(written(3)) << "what is behind may be reserved";
  note_gap(3, 192, 8);
  EXPECT_TRUE(written(3));
  EXPECT_FALSE(written(3 + 2 * kLooks)) << "that chunk's gaps are not known";
}

TEST_F(WrittenChunks, BelievesNoLengthThatCannotBe) {
  for (const std::uint32_t length : {0u, 8u, 68u, 264u, 0xfffffff8u}) {
    put(0, length, 1);
    EXPECT_FALSE(written(4)) << length;
  }
}

}  // namespace
}  // namespace umaskaudit::shim
