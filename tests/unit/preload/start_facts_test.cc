// What run.state tells an image that starts, against /proc.
// Run by meson.

#include <gtest/gtest.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include "preload/record/start_facts.h"
#include "preload/state.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

std::string boot_id_of_proc() {
  std::string text;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
  return text;
}

std::string words_of(const std::uint8_t (&id)[16]) {
  std::string text;
  char digits[3];
  for (unsigned i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    std::snprintf(digits, sizeof digits, "%02x", unsigned{id[i]});
    text += digits;
  }
  return text;
}

std::uint32_t name_space_of_proc() {
  struct stat facts;
  return stat("/proc/self/ns/pid", &facts) == 0 ? static_cast<std::uint32_t>(facts.st_ino) : 0;
}

// Without both there is no /proc.
class WithoutFiles {
 public:
  WithoutFiles() {
    bar(SYS_openat, true);
    bar(SYS_statx, true);
    bar(SYS_newfstatat, true);
  }
  WithoutFiles(const WithoutFiles&) = delete;
  WithoutFiles& operator=(const WithoutFiles&) = delete;
  ~WithoutFiles() {
    bar(SYS_openat, false);
    bar(SYS_statx, false);
    bar(SYS_newfstatat, false);
  }

 private:
  static void bar(unsigned long number, bool barred) {
    const unsigned long bit = 1ul << number % 64;
    std::atomic<unsigned long>& word = sys::barred[number / 64];
    word = barred ? word | bit : word & ~bit;
    sys::filtered = barred;
  }
};

class StartFactsTest : public testing::Test {
 protected:
  StartFactsTest() {
    process.proc_mount = 4711;
    process.pid_namespace = 0;
    if (access("/proc/sys/kernel/random/boot_id", R_OK) != 0) return;
    has_proc_ = true;
    read();
  }
  ~StartFactsTest() override { process.proc_mount = 0; }

  void SetUp() override {
    if (!has_proc_) GTEST_SKIP() << "no /proc";
  }

  StartFacts& facts() { return *reinterpret_cast<StartFacts*>(page_ + kStartFactsPlace); }
  std::string read() {
    std::uint8_t id[16] = {};
    process.pid_namespace = 0;
    read_start_facts(reinterpret_cast<trace::RunState*>(page_), id);
    return words_of(id);
  }
  std::string read_without_proc() {
    const WithoutFiles without;
    return read();
  }

 private:
  bool has_proc_ = false;
  alignas(4096) char page_[4096] = {};
};

constexpr char kNone[] = "00000000-0000-0000-0000-000000000000";

TEST_F(StartFactsTest, TheSecondImageNeedsNoProc) {
  EXPECT_EQ(read_without_proc(), boot_id_of_proc());
  EXPECT_EQ(process.pid_namespace, name_space_of_proc());
}

TEST_F(StartFactsTest, AnotherMountOfProcMayShowAnotherNameSpace) {
  process.proc_mount = 4712;
  EXPECT_EQ(read_without_proc(), boot_id_of_proc());
  EXPECT_EQ(process.pid_namespace, 0u);
  EXPECT_EQ(read(), boot_id_of_proc());
  EXPECT_EQ(process.pid_namespace, name_space_of_proc());
}

TEST_F(StartFactsTest, AnUnknownMountIsNotBelieved) {
  process.proc_mount = 0;
  EXPECT_EQ(read(), boot_id_of_proc());
  EXPECT_EQ(process.pid_namespace, 0u);
}

TEST_F(StartFactsTest, WhatAnotherBootLeftIsNotBelieved) {
  facts().boot_id[0] ^= 1;
  facts().booted_ns -= 2000000000;
  facts().check = check_of(facts());
  EXPECT_EQ(read_without_proc(), kNone);
  EXPECT_EQ(read(), boot_id_of_proc());
  EXPECT_EQ(read_without_proc(), boot_id_of_proc());
}

TEST_F(StartFactsTest, NorIsAClockThatWentBack) {
  facts().latest_ns += 3600ull * 1000000000;
  EXPECT_EQ(read_without_proc(), kNone);
  EXPECT_EQ(read(), boot_id_of_proc());
  EXPECT_EQ(read_without_proc(), boot_id_of_proc());
}

TEST_F(StartFactsTest, NorWhatTwoWroteAtOnce) {
  facts().boot_id[7] ^= 0x40;
  EXPECT_EQ(read_without_proc(), kNone);
  EXPECT_EQ(read(), boot_id_of_proc());
}

}  // namespace

}  // namespace umaskaudit::shim
