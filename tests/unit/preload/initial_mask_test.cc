// The three ways to read a mask, each held against the mask that umask(2) was given.
// Filters of seccomp take away what the better ways need; children carry them. Run by meson.

#include "preload/mask/initial_mask.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <thread>

#include "kernel_filter.h"

namespace umaskaudit::shim {

namespace {

using testing_support::Filter;
using testing_support::run_under;
using trace::MaskSource;

// The mask goes back to what it was.
class InitialMaskTest : public testing::Test {
 protected:
  void TearDown() override { umask(before_); }

 private:
  mode_t before_ = umask(022);
};

sock_filter jump(unsigned test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, yes, no);
}
sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EACCES;

// openat(2) only with O_TMPFILE (or not at all), clone(2) as asked: no /proc to read.
Filter without_proc(bool temporary_files, bool children) {
  return {
      load(offsetof(seccomp_data, nr)),
      jump(BPF_JEQ, SYS_clone, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, children ? SECCOMP_RET_ALLOW : kRefuse),
      jump(BPF_JEQ, SYS_openat, 0, 4),
      load(offsetof(seccomp_data, args) + 16),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_TMPFILE),
      jump(BPF_JEQ, O_TMPFILE, 0, 2),
      BPF_STMT(BPF_RET | BPF_K, temporary_files ? SECCOMP_RET_ALLOW : kRefuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, kRefuse),
  };
}

constexpr int kAllRight = 42;

// 0 when every mask is read right and from `source`; else what went wrong.
int read_all(MaskSource source) {
  for (mode_t mask = 0; mask <= 0777; ++mask) {
    umask(mask);
    const InitialMask found = read_initial_mask();
    if (found.source != source) return 1;
    if (found.mask != mask) return 2;
    if (umask(mask) != mask) return 3;  // reading must not write
  }
  return kAllRight;
}

TEST_F(InitialMaskTest, ProcTellsAllMasks) {
  EXPECT_EQ(read_all(MaskSource::proc), kAllRight);
  umask(0123);
  const InitialMask found = read_proc_mask();
  EXPECT_EQ(found.mask, 0123);
  EXPECT_EQ(found.source, MaskSource::proc);
}

TEST_F(InitialMaskTest, AChildTellsAllMasks) {
  EXPECT_EQ(run_under(without_proc(true, true), [] { return read_all(MaskSource::child); }),
            kAllRight);
}

TEST_F(InitialMaskTest, ATemporaryFileTellsAllMasks) {
  EXPECT_EQ(run_under(without_proc(true, false), [] { return read_all(MaskSource::probe); }),
            kAllRight);
}

TEST_F(InitialMaskTest, SaysWhenNothingTells) {
  EXPECT_EQ(run_under(without_proc(false, false),
                      [] {
                        const bool unknown = read_initial_mask().source == MaskSource::unknown &&
                                             read_proc_mask().source == MaskSource::unknown;
                        return unknown ? kAllRight : 1;
                      }),
            kAllRight);
}

// The program gets no SIGCHLD for our child, and its wait(2) never meets it.
TEST_F(InitialMaskTest, TheChildIsNobodysBusiness) {
  EXPECT_EQ(run_under(without_proc(true, true),
                      [] {
                        static volatile sig_atomic_t signals = 0;
                        struct sigaction action {};
                        action.sa_handler = [](int) { signals = signals + 1; };
                        sigaction(SIGCHLD, &action, nullptr);
                        for (int i = 0; i < 100; ++i) {
                          if (read_initial_mask().source != MaskSource::child) return 1;
                          if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return 2;
                        }
                        return signals == 0 ? kAllRight : 3;
                      }),
            kAllRight);
}

// 15 bytes of a name that the kernel escapes push the field back in the file.
TEST_F(InitialMaskTest, TheThreadsNameDoesNotHideTheField) {
  char before[16];
  pthread_getname_np(pthread_self(), before, sizeof before);
  for (const char* name :
       {"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\", "\nUmask:\t0777"}) {
    ASSERT_EQ(pthread_setname_np(pthread_self(), name), 0);
    umask(0137);
    const InitialMask found = read_proc_mask();
    EXPECT_EQ(found.mask, 0137) << name;
    EXPECT_EQ(found.source, MaskSource::proc);
  }
  pthread_setname_np(pthread_self(), before);
}

// With a context of its own a thread's mask is not its process's.
TEST_F(InitialMaskTest, AThreadReadsItsOwn) {
  umask(0137);
  std::thread([] {
    ASSERT_EQ(unshare(CLONE_FS), 0);
    umask(0026);
    EXPECT_EQ(read_proc_mask().mask, 0026);
  }).join();
  EXPECT_EQ(read_proc_mask().mask, 0137);
}

}  // namespace

}  // namespace umaskaudit::shim
