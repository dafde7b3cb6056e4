// Which processes count as running: the truth is what waitid(2) says of our own children.
#include "reporter/base/running_process.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

namespace umaskaudit::test {
namespace {

TEST(RunningProcess, WeDo) { EXPECT_TRUE(is_running(getpid())); }

TEST(RunningProcess, NoPidIsNone) {
  EXPECT_FALSE(is_running(0));
  EXPECT_FALSE(is_running(-1));
}

TEST(RunningProcess, AZombieHasEnded) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(is_running(child));
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(is_running(child));
}

// The second thread says when the first one has ended, which joins it.
struct Ends {
  pthread_t first;
  int ready[2];
};

void* stay(void* argument) {
  const auto& ends = *static_cast<Ends*>(argument);
  pthread_join(ends.first, nullptr);
  if (write(ends.ready[1], "", 1) != 1) _exit(1);
  for (;;) pause();
}

TEST(RunningProcess, OneWhoseFirstThreadHasEndedRunsOn) {
  Ends ends{};
  ASSERT_EQ(pipe(ends.ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    ends.first = pthread_self();
    pthread_t second;
    if (pthread_create(&second, nullptr, stay, &ends) != 0) _exit(1);
    syscall(SYS_exit, 0);  // pthread_exit() would unwind into the test framework
  }
  close(ends.ready[1]);
  char byte = 1;
  ASSERT_EQ(read(ends.ready[0], &byte, 1), 1);
  EXPECT_TRUE(is_running(child));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  close(ends.ready[0]);
}

}  // namespace
}  // namespace umaskaudit::test
