// The filter, asked by the kernel itself: without a tracer, SECCOMP_RET_TRACE is ENOSYS
// (seccomp(2)).
#include "reporter/tracer/filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <set>
#include <string>

#include "reporter/tracer/calls.h"

namespace umaskaudit::tracer {
namespace {

// The error number of the call, made in a child that has the filter; 255: there is no filter.
int error_under_filter(const std::function<long()>& call) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<sock_filter> instructions = make_filter();
    const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
      _exit(255);
    errno = 0;
    _exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// With arguments that no call takes: what is let pass fails with another error, or not at all.
TEST(Filter, StopsEachCallOfTheTable) {
  for (unsigned row = 0; row < kCallCount; ++row) {
    const CallRow& call = kCalls[row];
    if (call.native < 0) continue;
    long arguments[6] = {-1, -1, -1, -1, -1, -1};
    if (call.effect == Effect::name_thread) arguments[0] = PR_SET_NAME;
    const int error = error_under_filter([&] {
      return syscall(call.native, arguments[0], arguments[1], arguments[2], arguments[3],
                     arguments[4], arguments[5]);
    });
    EXPECT_EQ(error, ENOSYS) << call.name;
  }
}

TEST(Filter, LetsPassWhatCreatesNothing) {
  EXPECT_EQ(error_under_filter([] { return syscall(SYS_getppid); }), 0);
  EXPECT_EQ(error_under_filter([] { return syscall(SYS_write, -1, "", 1); }), EBADF);
  EXPECT_EQ(error_under_filter([] { return syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0); }), 0);
  EXPECT_EQ(error_under_filter([] { return syscall(SYS_openat, AT_FDCWD, "/", O_DIRECTORY, 0); }),
            0);
  EXPECT_EQ(
      error_under_filter([] { return syscall(SYS_openat, AT_FDCWD, "/", O_TMPFILE | O_RDWR, 0); }),
      ENOSYS);
  EXPECT_EQ(error_under_filter([] { return syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0); }), 0);
}

TEST(Calls, HaveOneNumberEach) {
  for (int CallRow::*const numbers : {&CallRow::native, &CallRow::i386}) {
    std::set<int> seen;
    for (unsigned row = 0; row < kCallCount; ++row) {
      const int number = kCalls[row].*numbers;
      EXPECT_TRUE(number < 0 || seen.insert(number).second) << kCalls[row].name;
    }
  }
}

std::string name_of(std::uint32_t arch, std::uint64_t number) {
  const CallRow* row = find_call(arch, number);
  return row != nullptr ? row->name : "";
}

#if defined(__x86_64__)
TEST(Calls, AreFoundByEveryNumbering) {
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, SYS_umask), "umask");
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, SYS_getppid), "");
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, 0x40000000u | SYS_mkdir), "mkdir");  // x32
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, 0x40000000u | 520), "execve");
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, 60), "umask");
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, 39), "mkdir");
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, SYS_umask), "fchown");
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, SYS_getppid), "");
  // i386 has two numbers of these, the other machines one.
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, 182), "chown");
  EXPECT_EQ(name_of(AUDIT_ARCH_I386, 212), "chown32");
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, SYS_chown), "chown");
  EXPECT_EQ(name_of(AUDIT_ARCH_X86_64, ~std::uint64_t{0}), "");
}
#endif

}  // namespace
}  // namespace umaskaudit::tracer
