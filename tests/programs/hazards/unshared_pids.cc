// Unshares its PID name space and goes on as another image under a filter that allows everything;
// that image forks. Ground truth: the child is process 1 there (pid_namespaces(7)), and ends well.
// Usage: unshared_pids DIR; code 77: no name spaces here.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

namespace {

void make(const std::string& path) {
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), path.c_str());
  close(fd);
}

void allow_everything() {
  sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{1, program};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  victim::need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "seccomp");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc == 2) {
    const int own_users = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    if (unshare(CLONE_NEWPID | own_users) != 0) return 77;
    allow_everything();
    make(dir + "/before");
    execl("/proc/self/exe", argv[0], argv[1], "again", nullptr);
    victim::die("execl");
  }
  make(dir + "/again");
  sigset_t blocked;
  victim::need(sigprocmask(SIG_SETMASK, nullptr, &blocked), "sigprocmask");
  if (sigismember(&blocked, SIGTERM) != 0) return 3;
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    make(dir + "/child");
    std::_Exit(getpid() == 1 ? 0 : 1);
  }
  int status = -1;
  victim::need(waitpid(child, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
