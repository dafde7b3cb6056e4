// Forks while all other threads are stopped by a signal in the middle of calls that are logged,
// under a filter that refuses kcmp(2). Ground truth: the child's number, and the directory that it
// makes. Usage: fork_amid_buffers DIR
// Buffers of threads that do not exist in the child must not be held there for ever.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstddef>

#include "victim.h"

namespace {

constexpr int kThreads = 64;
std::atomic<bool> stop = false;
std::atomic<int> stopped = 0;
int gate[2];

void wait_at_the_gate(int) {
  ++stopped;
  char byte = 0;
  while (read(gate[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

void* change_mask(void*) {
  while (!stop) {
    umask(0022);
    umask(0027);
  }
  return nullptr;
}

void refuse_kcmp() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  victim::need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "seccomp");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = victim::directory(argc, argv) + "/made";
  refuse_kcmp();
  victim::need(pipe(gate), "pipe");
  struct sigaction action {};
  action.sa_handler = wait_at_the_gate;
  victim::need(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  pthread_t threads[kThreads];
  for (pthread_t& thread : threads) {
    if (pthread_create(&thread, nullptr, change_mask, nullptr) != 0) victim::die("pthread_create");
  }
  for (pthread_t thread : threads) pthread_kill(thread, SIGUSR1);
  while (stopped < kThreads) sched_yield();
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) _exit(mkdir(path.c_str(), 0777) == 0 ? 0 : 1);
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  stop = true;
  const std::string bytes(kThreads, 'x');
  victim::need(write(gate[1], bytes.data(), bytes.size()), "write");
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  std::printf(R"({"child":%d,"status":%d})"
              "\n",
              child, status);
  return 0;
}
