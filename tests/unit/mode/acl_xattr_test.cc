// The decoder of system.posix_acl_default: what the kernel writes is understood (see also
// oracle_test.cc), everything else is refused.
#include <gtest/gtest.h>

#include <random>

#include "reporter/mode/calculus.h"
#include "tests/unit/mode/sandbox.h"

namespace umaskaudit {
namespace {

using testing_support::encode_acl;

std::optional<DefaultAcl> parse(const std::vector<std::uint8_t>& bytes) {
  return parse_acl_xattr(bytes.data(), bytes.size());
}

TEST(AclXattr, ReadsEachField) {
  const auto acl = parse(encode_acl(7, 5, 1, {}));
  ASSERT_TRUE(acl);
  EXPECT_EQ(acl->user_obj, 7);
  EXPECT_EQ(acl->group_obj, 5);
  EXPECT_EQ(acl->other, 1);
  EXPECT_FALSE(acl->mask);
  EXPECT_EQ(parse(encode_acl(7, 5, 1, 6))->mask, 6);
}

TEST(AclXattr, EmptyMeansNone) {
  EXPECT_FALSE(parse_acl_xattr(nullptr, 0));
  EXPECT_FALSE(parse({}));
  EXPECT_FALSE(parse({2, 0, 0, 0}));
}

TEST(AclXattr, RefusesEveryTruncation) {
  const std::vector<std::uint8_t> whole = encode_acl(7, 5, 1, 6);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_acl_xattr(whole.data(), length)) << length;
  }
}

TEST(AclXattr, RefusesWhatTheKernelRefuses) {
  const std::vector<std::uint8_t> good = encode_acl(7, 5, 1, 6);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    std::vector<std::uint8_t> bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_FALSE(parse(with(0, 1)));      // version
  EXPECT_FALSE(parse(with(4, 0x03)));   // two tags in one
  EXPECT_FALSE(parse(with(4, 0x40)));   // unknown tag
  EXPECT_FALSE(parse(with(4, 0)));      // no tag
  EXPECT_FALSE(parse(with(5, 1)));      // tag beyond 8 bits
  EXPECT_FALSE(parse(with(6, 8)));      // permission beyond rwx
  EXPECT_FALSE(parse(with(7, 1)));      // permission beyond 8 bits
  EXPECT_FALSE(parse(with(4, 0x04)));   // out of order
  EXPECT_FALSE(parse(with(12, 0x01)));  // owner twice
}

TEST(AclXattr, NamedUserNeedsAMask) {
  std::vector<std::uint8_t> bytes = encode_acl(7, 5, 1, 6);
  bytes.erase(bytes.begin() + 28, bytes.begin() + 36);  // the fourth entry
  EXPECT_FALSE(parse(bytes));
}

// Run under ASan and UBSan this also shows that no byte is read out of bounds.
TEST(AclXattr, SurvivesRandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 200000; ++round) {
    std::vector<std::uint8_t> bytes = encode_acl(random() & 7, random() & 7, random() & 7, 5);
    for (int flips = static_cast<int>(random() % 4); flips >= 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    bytes.shrink_to_fit();
    if (const auto acl = parse(bytes)) {
      EXPECT_LE(acl->user_obj | acl->group_obj | acl->other | acl->mask.value_or(0), 7);
    }
  }
}

}  // namespace
}  // namespace umaskaudit
