// Builds the classic BPF program, and injects two calls; see filter.h.

#include "reporter/tracer/filter.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "reporter/tracer/calls.h"

namespace umaskaudit::tracer {

namespace {

using Program = std::vector<sock_filter>;

void add(Program& program, std::uint16_t code, std::uint32_t k, std::uint8_t yes = 0,
         std::uint8_t no = 0) {
  program.push_back({code, yes, no, k});
}

void load(Program& program, std::size_t offset) {
  add(program, BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

void give(Program& program, std::uint32_t answer) { add(program, BPF_RET | BPF_K, answer); }

// The low half of an argument: flags are in it.
constexpr std::size_t argument_offset(int index) {
  return offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<std::size_t>(index);
}

// Tests the number, which is in the accumulator, for one call.
void add_call(Program& program, const CallRow& row, std::uint32_t number) {
  constexpr std::uint32_t kCreates = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
  const bool flags = row.flags >= 0 && (row.effect == Effect::open || row.effect == Effect::queue);
  const bool names = row.effect == Effect::name_thread;
  if (!flags && !names) {
    add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    return give(program, SECCOMP_RET_TRACE);
  }
  add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
  load(program, argument_offset(flags ? row.flags : 0));
  if (flags) {
    add(program, BPF_JMP | BPF_JSET | BPF_K, kCreates, 0, 1);
  } else {
    add(program, BPF_JMP | BPF_JEQ | BPF_K, PR_SET_NAME, 0, 1);
  }
  give(program, SECCOMP_RET_TRACE);
  give(program, SECCOMP_RET_ALLOW);
}

Program calls_of(int CallRow::*number, bool x32) {
  Program program;
  load(program, offsetof(seccomp_data, nr));
  if (x32) {
    constexpr std::uint32_t kX32 = 0x40000000, kExecve = 520, kExecveat = 545;
    for (const std::uint32_t own : {kX32 | kExecve, kX32 | kExecveat}) {
      add(program, BPF_JMP | BPF_JEQ | BPF_K, own, 0, 1);
      give(program, SECCOMP_RET_TRACE);
    }
    add(program, BPF_ALU | BPF_AND | BPF_K, ~kX32);
  }
  for (unsigned row = 0; row < kCallCount; ++row) {
    const int at = kCalls[row].*number;
    if (at >= 0) add_call(program, kCalls[row], static_cast<std::uint32_t>(at));
  }
  give(program, SECCOMP_RET_ALLOW);
  return program;
}

}  // namespace

Program make_filter() {
#if defined(__x86_64__)
  constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t kNative = AUDIT_ARCH_AARCH64;
#endif
  Program program;
  const Program native = calls_of(&CallRow::native, kNative == AUDIT_ARCH_X86_64);
  load(program, offsetof(seccomp_data, arch));
  add(program, BPF_JMP | BPF_JEQ | BPF_K, kNative, 1, 0);
  add(program, BPF_JMP | BPF_JA, static_cast<std::uint32_t>(native.size()));
  program.insert(program.end(), native.begin(), native.end());
  if (kNative != AUDIT_ARCH_X86_64) {
    give(program, SECCOMP_RET_ALLOW);
    return program;
  }
  add(program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 1, 0);
  give(program, SECCOMP_RET_ALLOW);
  const Program i386 = calls_of(&CallRow::i386, false);
  program.insert(program.end(), i386.begin(), i386.end());
  return program;
}

#if defined(__x86_64__)

struct Injection::State {
  pid_t tid;
  user_regs_struct before;
  long text;            // address of code in the image, for making the calls
  std::uint64_t place;  // address of the filter, on its stack
  bool filtering = false;
  std::vector<int> signals;
};

namespace {

bool set_registers(pid_t tid, user_regs_struct& registers) {
  iovec space{&registers, sizeof registers};
  return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &space) == 0;
}

bool get_registers(pid_t tid, user_regs_struct& registers) {
  iovec space{&registers, sizeof registers};
  return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &space) == 0;
}

void make_call(pid_t tid, const user_regs_struct& at, std::uint64_t number, std::uint64_t a,
               std::uint64_t b, std::uint64_t c) {
  user_regs_struct registers = at;
  registers.orig_rax = ~std::uint64_t{0};  // disables the restart of a system call
  registers.rax = number;
  registers.rdi = a;
  registers.rsi = b;
  registers.rdx = c;
  registers.r10 = registers.r8 = registers.r9 = 0;
  set_registers(tid, registers);
  ptrace(PTRACE_CONT, tid, 0, 0);
}

}  // namespace

std::unique_ptr<Injection> Injection::begin(pid_t tid, bool privileged) {
  auto state = std::make_unique<State>();
  state->tid = tid;
  if (!get_registers(tid, state->before)) return nullptr;
  if ((state->before.cs & 0xffff) != 0x33) return nullptr;  // a 32-bit program
  static const Program filter = make_filter();
  // A struct sock_fprog; the kernel maps far more than this below the initial stack pointer.
  struct {
    std::uint16_t length;
    char padding[6];
    std::uint64_t filter;
  } head{static_cast<std::uint16_t>(filter.size()), {}, 0};
  constexpr std::uint64_t kBelow = 16384, kAlign = 64;
  state->place = (state->before.rsp - kBelow) & ~(kAlign - 1);
  head.filter = state->place + sizeof head;
  const std::size_t size = filter.size() * sizeof(sock_filter);
  iovec from[2] = {{&head, sizeof head}, {const_cast<sock_filter*>(filter.data()), size}};
  iovec to{reinterpret_cast<void*>(state->place), sizeof head + size};
  if (process_vm_writev(tid, from, 2, &to, 1, 0) != static_cast<ssize_t>(sizeof head + size))
    return nullptr;
  errno = 0;
  state->text = ptrace(PTRACE_PEEKTEXT, tid, state->before.rip, 0);
  if (errno != 0) return nullptr;
  constexpr long kSyscallAndTrap = 0xcc050f;  // syscall; int3
  const long code = (state->text & ~0xffffffl) | kSyscallAndTrap;
  if (ptrace(PTRACE_POKETEXT, tid, state->before.rip, code) != 0) return nullptr;
  state->filtering = privileged;
  if (privileged) {
    make_call(tid, state->before, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, state->place);
  } else {
    make_call(tid, state->before, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
  }
  return std::unique_ptr<Injection>(new Injection(std::move(state)));
}

std::optional<bool> Injection::on_signal(int signal) {
  State& state = *state_;
  user_regs_struct now{};
  constexpr std::uint64_t kBehind = 3;  // syscall and int3
  const bool ours =
      signal == SIGTRAP && get_registers(state.tid, now) && now.rip == state.before.rip + kBehind;
  if (!ours) {
    state.signals.push_back(signal);
    ptrace(PTRACE_CONT, state.tid, 0, 0);
    return std::nullopt;
  }
  if (!state.filtering && static_cast<std::int64_t>(now.rax) == 0) {
    state.filtering = true;
    make_call(state.tid, state.before, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, state.place);
    return std::nullopt;
  }
  const bool done = state.filtering && static_cast<std::int64_t>(now.rax) == 0;
  ptrace(PTRACE_POKETEXT, state.tid, state.before.rip, state.text);
  set_registers(state.tid, state.before);
  return done;
}

int Injection::deliver() const {
  const std::vector<int>& signals = state_->signals;
  if (signals.empty()) return 0;
  for (std::size_t i = 1; i < signals.size(); ++i)
    syscall(SYS_tgkill, state_->tid, state_->tid, signals[i]);
  return signals[0];
}

#else

struct Injection::State {};
std::unique_ptr<Injection> Injection::begin(pid_t, bool) { return nullptr; }
std::optional<bool> Injection::on_signal(int) { return false; }
int Injection::deliver() const { return 0; }

#endif

Injection::Injection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Injection::~Injection() = default;

}  // namespace umaskaudit::tracer
