// Traces a program up to its system call; see stopped.h.

#include "stopped.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <sstream>

namespace {

struct Entry {
  long number;
  umaskaudit::tracer::Registers registers;
};

Entry entry_of(pid_t tid) {
  user_regs_struct all{};
  iovec room{&all, sizeof all};
  ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &room);
#if defined(__x86_64__)
  return {static_cast<long>(all.orig_rax), {all.rip, all.rsp, all.rbp}};
#else
  return {static_cast<long>(all.regs[8]), {all.pc, all.sp, all.regs[29]}};
#endif
}

}  // namespace

Stopped::Stopped(std::vector<std::string> command, long number) {
  int out[2];
  const bool piped = pipe2(out, O_CLOEXEC) == 0;
  EXPECT_TRUE(piped);
  if (!piped) return;
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(out[1], STDOUT_FILENO);
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(126);
    raise(SIGSTOP);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  run_to(number);
  read_printed(out[0]);
  close(out[0]);
  EXPECT_TRUE(there()) << command[0];
}

Stopped::~Stopped() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(-1, nullptr, __WALL) > 0) {
  }
}

void Stopped::run_to(long number) {
  constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE;
  constexpr int kSystemCall = SIGTRAP | 0x80;
  std::set<pid_t> known;
  for (int status = 0;;) {
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0) return;
    if (!WIFSTOPPED(status)) continue;
    int signal = WSTOPSIG(status);
    const bool first = known.insert(tid).second;
    if (first && tid == pid_) ptrace(PTRACE_SETOPTIONS, tid, nullptr, kOptions);
    // The stops that begin a trace, of exec and of clone are no signals of the program's.
    if (first || signal == SIGTRAP) signal = 0;
    if (signal == kSystemCall) {
      signal = 0;
      if (entry_of(tid).number == number) {
        tid_ = tid;
        return;
      }
    }
    ptrace(PTRACE_SYSCALL, tid, nullptr, signal);
  }
}

// Its output is in the pipe.
void Stopped::read_printed(int fd) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  std::string text(1 << 16, '\0');
  const ssize_t got = read(fd, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::istringstream lines(text);
  std::string name;
  for (std::uint64_t value = 0; lines >> name >> std::hex >> value;) {
    printed_[name].push_back(value);
  }
}

umaskaudit::tracer::Registers Stopped::registers() const { return entry_of(tid_).registers; }
