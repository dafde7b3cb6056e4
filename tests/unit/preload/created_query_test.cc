// What the kernel says of descriptors, and when it is believed.
// Ground truth: O_EXCL, which makes or fails. Run by meson.

#include "preload/object/created_query.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace umaskaudit::shim::created_query {

namespace {

constexpr std::uint64_t kNoMount = 1;  // their numbers begin at 2^31

class CreatedQuery : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(directory_), nullptr);
    made_ = open(path().c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
    met_ = open(path().c_str(), O_CREAT | O_RDWR, 0600);
    ASSERT_GE(made_, 0);
    ASSERT_GE(met_, 0);
    const bool answers = ask(made_) != Answer::none;
    dependable = true;
    for (auto& mount : exact_mounts) mount = 0;
    if (!answers) GTEST_SKIP() << "this kernel has no F_CREATED_QUERY";
  }
  void TearDown() override {
    close(made_);
    close(met_);
    unlink(path().c_str());
    rmdir(directory_);
  }
  std::string path() const { return std::string(directory_) + "/f"; }

  static std::uint64_t mount_of(int fd) {
    struct statx facts {};
    EXPECT_EQ(sys::facts(fd, "", AT_EMPTY_PATH, &facts), 0);
    EXPECT_NE(facts.stx_mask & sys::kUniqueMount, 0u);
    return facts.stx_mnt_id;
  }

  char directory_[32] = "/dev/shm/umaskaudit-XXXXXX";
  int made_ = -1;
  int met_ = -1;
};

TEST_F(CreatedQuery, SaysWhichDescriptorMadeTheObject) {
  EXPECT_EQ(ask(made_), Answer::created);
  EXPECT_EQ(ask(met_), Answer::existed);
  EXPECT_TRUE(is_usable());
}

TEST_F(CreatedQuery, IsNotGivenUpForADescriptorThatIsGone) {
  EXPECT_EQ(ask(-1), Answer::none);
  EXPECT_TRUE(is_usable());
}

TEST_F(CreatedQuery, IsBelievedOnTmpfs) {
  const std::uint64_t mount = mount_of(met_);
  EXPECT_TRUE(is_exact_for(met_, mount));
  EXPECT_EQ(exact_mounts[mount % kMounts].load(), mount);
  EXPECT_FALSE(is_exact_for(met_, 0)) << "a kernel that numbers no mounts";
}

TEST_F(CreatedQuery, IsGivenUpAtTheFirstFilesystemThatIsNotKnown) {
  EXPECT_TRUE(is_exact_for(met_, mount_of(met_)));
  note_filesystem(FUSE_SUPER_MAGIC);
  EXPECT_FALSE(is_usable());
  EXPECT_TRUE(is_exact_for(met_, mount_of(met_))) << "what is known stays known";
  EXPECT_FALSE(is_exact_for(met_, kNoMount)) << "nothing new is believed";
}

TEST_F(CreatedQuery, IsNeverAskedThroughAFilterThatBarsIt) {
  sys::barred[SYS_fcntl / 64] = 1ul << SYS_fcntl % 64;
  sys::filtered = true;
  EXPECT_FALSE(is_usable());
  EXPECT_FALSE(is_exact_for(met_, mount_of(met_)));
  sys::filtered = false;
  sys::barred[SYS_fcntl / 64] = 0;
}

}  // namespace

}  // namespace umaskaudit::shim::created_query
