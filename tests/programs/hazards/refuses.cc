// Runs a program under a filter that refuses what is named, with EPERM, and nothing else.
// Usage: refuses WHAT[,WHAT]... PROGRAM [ARGUMENT...]; WHAT: kcmp, clone, tmpfile (open(2)),
// created (F_CREATED_QUERY of fcntl(2)),
// populate (MADV_POPULATE_WRITE of madvise(2), with EINVAL, as before Linux 5.14), fallocate.
// Ground truth: PROGRAM's own. Code 77: no filter can be installed here.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <vector>

#include "victim.h"

namespace {

constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
std::vector<sock_filter> program = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
};

void refuse(long call) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, kRefuse));
}

// Refuses `call` when its argument `which` compares so: BPF_JSET, one of the bits; BPF_JEQ, equal.
void refuse_if(long call, unsigned which, unsigned short compares, unsigned operand,
               unsigned answer = kRefuse) {
  constexpr unsigned kHighHalfFirst = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
  const auto at = static_cast<unsigned>(offsetof(seccomp_data, args) +
                                        which * sizeof(std::uint64_t) + kHighHalfFirst);
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 4));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at));
  program.push_back(BPF_JUMP(BPF_JMP | compares | BPF_K, operand, 0, 1));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, answer));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
}

void refuse(const std::string& what) {
  if (what == "kcmp") {
    refuse(SYS_kcmp);
  } else if (what == "clone") {
#ifdef SYS_fork  // the newer machines have clone(2) alone
    refuse(SYS_fork);
    refuse(SYS_vfork);
#endif
    refuse(SYS_clone);
    refuse(SYS_clone3);
  } else if (what == "tmpfile") {
    constexpr unsigned kBits = O_TMPFILE & ~O_DIRECTORY;
#ifdef SYS_open
    refuse_if(SYS_open, 1, BPF_JSET, kBits);
#endif
    refuse_if(SYS_openat, 2, BPF_JSET, kBits);
  } else if (what == "populate") {
    constexpr unsigned kPopulateWrite = 23;  // newer than the headers
    refuse_if(SYS_madvise, 2, BPF_JEQ, kPopulateWrite, SECCOMP_RET_ERRNO | EINVAL);
  } else if (what == "fallocate") {
    refuse(SYS_fallocate);
  } else if (what == "created") {
    constexpr unsigned kCreatedQuery = 1024 + 4;  // newer than the headers
    refuse_if(SYS_fcntl, 1, BPF_JEQ, kCreatedQuery);
  } else {
    victim::die(what.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) victim::die("usage: refuses WHAT[,WHAT]... PROGRAM [ARGUMENT...]");
  const std::string words = std::string(argv[1]) + ',';
  for (std::size_t from = 0, to; (to = words.find(',', from)) != std::string::npos; from = to + 1)
    refuse(words.substr(from, to - from));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 77;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return 77;
  execvp(argv[2], argv + 2);
  victim::die(argv[2]);
}
