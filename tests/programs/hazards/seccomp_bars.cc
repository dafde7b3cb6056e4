// Installs a filter that answers one thing with ACTION, then creates and opens from one place.
// Usage: seccomp_bars DIR WHAT ACTION HOW [WARM]
// Ground truth: it ends by itself; fstat of each file, lstat(2) before each call.
// WHAT: exclusive (openat with other flags than the program's), created (F_CREATED_QUERY of
// fcntl(2)), queue (mq_open with other flags), or the name of a call that the program never makes.
// HOW: prctl, raw (syscall(2)), seccomp, tsync (seccomp(2) in a thread, for all of them), listener
// (a filter that may be answered by another process), before (a program started under it).
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <map>
#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
constexpr int kQueueFlags = O_RDWR | O_CREAT;
constexpr unsigned kCreatedQuery = 1024 + 4;  // newer than the headers

const std::map<std::string, long> kOthers = {
    {"faccessat", SYS_faccessat},
    {"fallocate", SYS_fallocate},
    {"fchmod", SYS_fchmod},
    {"fcntl", SYS_fcntl},
    {"fstatfs", SYS_fstatfs},
    {"ftruncate", SYS_ftruncate},
    {"getcwd", SYS_getcwd},
    {"getppid", SYS_getppid},
    {"getxattr", SYS_getxattr},
    {"ioctl", SYS_ioctl},
    {"kcmp", SYS_kcmp},
    {"kill", SYS_kill},
    {"madvise", SYS_madvise},
    {"mkdirat", SYS_mkdirat},
    {"mremap", SYS_mremap},
    {"msync", SYS_msync},
    {"openat2", SYS_openat2},
    {"process_vm_readv", SYS_process_vm_readv},
    {"readlinkat", SYS_readlinkat},
    {"rt_sigpending", SYS_rt_sigpending},
    {"sched_yield", SYS_sched_yield},
    {"statfs", SYS_statfs},
    {"statx", SYS_statx},
    {"tgkill", SYS_tgkill},
    {"unlinkat", SYS_unlinkat},
};

std::vector<sock_filter> program = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
};

// `action` for `call` when the low half of its argument `which` has the bit `asked` (0: whatever
// it has), and compares to `operand` so.
void add(long call, unsigned which, unsigned asked, unsigned operand, bool equal, unsigned action) {
  constexpr unsigned kHighHalfFirst = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
  const auto at = static_cast<unsigned>(offsetof(seccomp_data, args) +
                                        which * sizeof(std::uint64_t) + kHighHalfFirst);
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 5));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at));
  const unsigned char passes = asked == 0 ? 0 : 2;
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, asked, 0, passes));
  const unsigned char yes = equal ? 0 : 1;
  const unsigned char no = equal ? 1 : 0;
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, operand, yes, no));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
}

unsigned action_named(const std::string& name) {
  if (name == "kill") return SECCOMP_RET_KILL_PROCESS;
  if (name == "errno") return SECCOMP_RET_ERRNO | EPERM;
  if (name == "trap") return SECCOMP_RET_TRAP;
  if (name == "trace") return SECCOMP_RET_TRACE;
  if (name == "notify") return SECCOMP_RET_USER_NOTIF;
  victim::die(name.c_str());
}

void describe(const std::string& what, unsigned action) {
  if (what == "exclusive") {
    add(SYS_openat, 2, O_CREAT, kFlags, false, action);
  } else if (what == "created") {
    add(SYS_fcntl, 1, 0, kCreatedQuery, true, action);
  } else if (what == "queue") {
    add(SYS_mq_open, 1, 0, kQueueFlags, false, action);
  } else {
    const auto found = kOthers.find(what);
    if (found == kOthers.end()) victim::die(what.c_str());
    const auto number = static_cast<unsigned>(found->second);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

void install(const std::string& how) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  const auto by_seccomp = [&](unsigned flags) {
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  };
  long result = 0;
  if (how == "raw") {
    result = syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
  } else if (how == "seccomp") {
    result = by_seccomp(0);
  } else if (how == "tsync") {
    std::thread([&] { result = by_seccomp(SECCOMP_FILTER_FLAG_TSYNC); }).join();
  } else if (how == "listener") {
    result = by_seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0 ? 0 : -1;
  } else {
    result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
  }
  victim::need(result, "seccomp");
}

// One place, which meets existing files and makes new ones.
[[gnu::noinline]] void open_one(const std::string& path) {
  struct stat status;
  const bool there = lstat(path.c_str(), &status) == 0;
  errno = EXFULL;
  const int fd = open(path.c_str(), kFlags, 0666);
  if (fd < 0 || errno != EXFULL) victim::die("open");
  if (!there)
    victim::print({path, victim::mode_of(fd), "open", nullptr, victim::tid(), 0666, 0022});
  std::printf("{\"met\": %s}\n", there ? "true" : "false");
  close(fd);
}

[[gnu::noinline]] void open_queue() {
  const std::string name = "/umaskaudit-bars-" + std::to_string(getpid());
  for (int i = 0; i < 2; ++i) {
    const mqd_t queue = mq_open(name.c_str(), kQueueFlags, 0640, victim::small_queue());
    close(static_cast<int>(victim::need(queue, "mq_open")));
  }
  mq_unlink(name.c_str());
}

int work(const std::string& dir, const std::string& what) {
  umask(0022);
  for (int i = 0; i < 3; ++i) {
    open_one(dir + "/new" + std::to_string(i));
    open_one(dir + "/new0");
  }
  victim::need(mkdir((dir + "/d").c_str(), 0777), "mkdir");
  victim::print({dir + "/d", victim::mode_of(dir + "/d"), "mkdir", nullptr, victim::tid(), 0777});
  if (what == "queue") open_queue();
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) victim::die("usage: seccomp_bars DIR WHAT ACTION HOW [WARM]");
  const std::string dir = argv[1];
  const std::string what = argv[2];
  const std::string how = argv[4];
  if (how == "inherited") return work(dir, what);
  umask(0022);
  for (int i = 0; argc > 5 && i < 4; ++i) open_one(dir + "/warm" + std::to_string(i));
  std::fflush(stdout);
  describe(what, action_named(argv[3]));
  install(how);
  if (how != "before") return work(dir, what);
  char inherited[] = "inherited";
  argv[4] = inherited;
  execv(argv[0], argv);
  victim::die(argv[0]);
}
