// What a program could notice of the task that opens our descriptors: numbers, waits, threads.
// The kernel is asked each time. Run by meson.

#include "preload/sys/own_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr int kRounds = 2000;

struct Opened {
  int fd = -1;
  bool inherited = false;
};

// Leaves its descriptor open: only the table that it lies in may say so.
void open_and_leave(void* argument) {
  auto* opened = static_cast<Opened*>(argument);
  opened->inherited = sys::call(SYS_fcntl, 0, F_GETFD) >= 0;
  opened->fd = sys::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(OwnTable, KeepsDescriptorsOutOfTheProgramsTable) {
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  Opened opened;
  ASSERT_TRUE(run_in_task(open_and_leave, &opened, Apart::descriptors));
  EXPECT_EQ(opened.fd, 0);  // its table was empty
  EXPECT_FALSE(opened.inherited);
  const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(after, next);
  close(after);
}

TEST(OwnTable, KeepsTheDescriptorsThatAreAskedFor) {
  Opened opened;
  ASSERT_TRUE(run_in_task(open_and_leave, &opened, Apart::descriptors, 0));
  EXPECT_TRUE(opened.inherited);
  EXPECT_EQ(opened.fd, 1);
  EXPECT_GE(fcntl(0, F_GETFD), 0);
}

void set_mask(void* argument) { *static_cast<long*>(argument) = sys::call(SYS_umask, 0); }

TEST(OwnTable, CopiesTheMask) {
  const mode_t before = umask(027);
  long found = -1;
  EXPECT_TRUE(run_in_task(set_mask, &found, Apart::fs));
  EXPECT_EQ(found, 027);
  EXPECT_EQ(umask(before), 027u);
}

// unshare(2) refuses CLONE_VM to a process with two threads, and does nothing for one with one.
TEST(OwnTable, IsGoneWhenItReturns) {
  for (int round = 0; round < kRounds; ++round) {
    Opened opened;
    ASSERT_TRUE(run_in_task(open_and_leave, &opened, Apart::descriptors));
    ASSERT_EQ(unshare(CLONE_VM), 0) << "round " << round;
  }
}

TEST(OwnTable, IsNoChild) {
  rusage before{};
  getrusage(RUSAGE_CHILDREN, &before);
  std::atomic<bool> done = false;
  int found = 0;
  std::thread waiter([&] {
    while (!done) {
      for (const unsigned kind : {unsigned{__WALL}, unsigned{__WCLONE}}) {
        const auto flags = static_cast<int>(WNOHANG | kind);
        if (waitpid(-1, nullptr, flags) != -1 || errno != ECHILD) ++found;
      }
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    Opened opened;
    ASSERT_TRUE(run_in_own_table(open_and_leave, &opened));
    ASSERT_EQ(opened.fd, 0) << "the process has two threads";
  }
  done = true;
  waiter.join();
  EXPECT_EQ(found, 0);
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  EXPECT_EQ(usage.ru_minflt, before.ru_minflt);
}

// A thread that closes a low number and opens again gets that number.
TEST(OwnTable, IsNotMetByThreadsThatCloseAndOpen) {
  std::atomic<bool> done = false;
  int other_numbers = 0;
  std::thread opener([&] {
    const int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (!done) {
      close(low);
      const int again = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (again == low) continue;
      ++other_numbers;
      close(again);
      open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    close(low);
  });
  for (int round = 0; round < kRounds; ++round) {
    Opened opened;
    run_in_own_table(open_and_leave, &opened);
  }
  done = true;
  opener.join();
  EXPECT_EQ(other_numbers, 0);
}

int in_child(int (*body)()) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Without the right to another task it says so, and has changed nothing. Root has the right anyway.
TEST(OwnTable, SaysWhenThereIsNoTask) {
  const int result = in_child([] {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_NPROC, &none) != 0) return 1;
    if (geteuid() == 0 && setuid(65534) != 0) return 2;
    Opened opened;
    if (run_in_task(open_and_leave, &opened, Apart::descriptors)) return 3;
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 0 && opened.fd == -1 ? 0 : 4;
  });
  EXPECT_EQ(result, 0);
}

// The first child after unshare(CLONE_NEWPID) is the new name space's init; with it ends the name
// space.
TEST(OwnTable, IsNoInit) {
  const int result = in_child([] {
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return 77;
    Opened opened;
    if (run_in_task(open_and_leave, &opened, Apart::descriptors)) return 3;
    return in_child([] { return getpid() == 1 ? 0 : 4; });
  });
  if (result == 77) GTEST_SKIP() << "no user name spaces here";
  EXPECT_EQ(result, 0);
}

TEST(OwnTable, WorksInVforkChildren) {
  Opened opened;
  volatile bool ran = false;  // as seen behind vfork(2), which returns twice
  const pid_t child = vfork();
  if (child == 0) {
    ran = run_in_task(open_and_leave, &opened, Apart::descriptors);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(ran);
  EXPECT_EQ(opened.fd, 0);
}

}  // namespace

}  // namespace umaskaudit::shim
