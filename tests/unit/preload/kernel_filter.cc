// See kernel_filter.h.

#include "kernel_filter.h"

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace umaskaudit::testing_support {

namespace {

constexpr std::uint32_t kPermitted = 3001;  // errno values that no call returns
constexpr std::uint32_t kRefused = 3002;
constexpr long kWayOut = 0x5a;

bool install(const Filter& filter) {
  Filter copy = filter;
  const sock_fprog program{static_cast<unsigned short>(copy.size()), copy.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool permits(std::uint32_t action) {
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

// The same filter with its verdicts as errno values, and one way for the child to end. The machine
// starts with zeros as it would without our words in front (a is set to 0 again, x is not touched).
Filter harmless(const Filter& filter) {
  Filter out = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kWayOut, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 0),
  };
  for (sock_filter op : filter) {
    if (BPF_CLASS(op.code) == BPF_RET) {
      op.k = SECCOMP_RET_ERRNO | (permits(op.k) ? kPermitted : kRefused);
    }
    out.push_back(op);
  }
  return out;
}

}  // namespace

std::optional<Verdicts> ask_kernel(const Filter& filter, std::uint64_t argument) {
  const std::size_t size = sizeof(Verdicts) + 1;
  auto* shared = static_cast<bool*>(
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (shared == MAP_FAILED) return std::nullopt;
  const Filter asked = harmless(filter);
  const pid_t child = fork();
  if (child == 0) {
    if (!install(asked)) syscall(SYS_exit_group, 1);
    const auto a = static_cast<long>(argument);
    bool understood = true;
    for (unsigned number = 0; number < std::tuple_size_v<Verdicts>; ++number) {
      if (!is_asked(number)) continue;
      const long result = syscall(static_cast<long>(number), a, a, a, a, a, a);
      understood = understood && result == -1 && (errno == kPermitted || errno == kRefused);
      shared[1 + number] = errno == static_cast<int>(kPermitted);
    }
    shared[0] = understood;
    syscall(SYS_exit_group, kWayOut);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::optional<Verdicts> verdicts;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kWayOut && shared[0]) {
    verdicts.emplace();
    for (unsigned i = 0; i < verdicts->size(); ++i) (*verdicts)[i] = shared[1 + i];
  }
  munmap(shared, size);
  return verdicts;
}

int run_under(const Filter& filter, int (*body)()) {
  const pid_t child = fork();
  if (child == 0) {
    if (!install(filter)) _exit(255);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 255) return -1;
  return WEXITSTATUS(status);
}

}  // namespace umaskaudit::testing_support
