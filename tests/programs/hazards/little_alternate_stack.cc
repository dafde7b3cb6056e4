// Handlers on alternate stacks with ever more left of them change the mask, create, rename and
// start programs. Ground truth: none of it takes 600 bytes in libc but posix_spawn(3), so it works;
// fstat. Below each stack is a guard page. Usage: little_alternate_stack DIR
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

namespace {

constexpr std::size_t kPage = 4096;
char path[4096];
char other[4096];
char program[] = "/bin/true";
char* arguments[] = {program, nullptr};
bool worked;

void wait_for(pid_t child) {
  int status = 0;
  worked = child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void set_mask() { worked = umask(0027) == 0022; }
void open_file() {
  const int fd = open(path, O_CREAT | O_WRONLY, 0666);
  worked = fd >= 0 && close(fd) == 0;
}
void open_by_number() {
  const long fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0666);
  worked = fd >= 0 && close(static_cast<int>(fd)) == 0;
}
void make_directory() { worked = mkdir(path, 0777) == 0; }
void rename_file() { worked = rename(path, other) == 0; }
void change_mode() { worked = chmod(other, 0600) == 0; }
void fail_to_exec() { worked = execve("/nowhere/at/all", arguments, environ) == -1; }
void vfork_and_exec() {
  const pid_t child = vfork();
  if (child == 0) {
    execve(program, arguments, environ);
    _exit(99);
  }
  wait_for(child);
}
void spawn() {
  pid_t child = 0;
  if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) child = -1;
  wait_for(child);
}

void (*what)();
std::uintptr_t handler_at;
// The kernel takes no alternate stack of less than 2,048 bytes (sigaltstack(2)): what was given
// beyond the wanted size is used up first.
constexpr std::size_t kSmallest = 2048;
std::size_t surplus;
void on_signal(int) {
  handler_at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  *static_cast<volatile char*>(__builtin_alloca(surplus + 1)) = 0;
  what();
}

void handle_on(char* stack, std::size_t size, void (*call)(), const char* name) {
  what = call;
  worked = false;
  surplus = size < kSmallest ? kSmallest - size : 0;
  const stack_t given{stack, 0, size + surplus};
  victim::need(sigaltstack(&given, nullptr), "sigaltstack");
  raise(SIGUSR1);
  if (!worked) victim::die(name);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  constexpr std::size_t kLargest = 16 * kPage;
  auto* const guard = static_cast<char*>(
      mmap(nullptr, kPage + kLargest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (guard == MAP_FAILED || mprotect(guard, kPage, PROT_NONE) != 0) victim::die("mmap");
  char* const stack = guard + kPage;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  victim::need(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  umask(0022);
  // What the kernel puts there depends on the processor (AT_MINSIGSTKSZ, getauxval(3)).
  handle_on(
      stack, kLargest, [] { worked = true; }, "handler");
  const std::size_t frame = reinterpret_cast<std::uintptr_t>(stack) + kLargest - handler_at;
  for (const std::size_t left : {620, 1110, 1600, 2100, 2600, 3200, 4200, 6000}) {
    const std::size_t size = (frame + left + 15) / 16 * 16;
    const auto handle = [&](void (*call)(), const char* name) {
      std::snprintf(path, sizeof path, "%s/%s-%zu", dir.c_str(), name, left);
      handle_on(stack, size, call, path);
    };
    handle(set_mask, "umask");
    victim::create(dir + "/after-" + std::to_string(left), 0666, 0027);
    umask(0022);
    handle(make_directory, "mkdir");
    victim::print({path, victim::mode_of(path), "mkdir", nullptr, -1, 0777, 0022});
    handle(open_by_number, "openat");
    victim::print({path, victim::mode_of(path), "openat", nullptr, -1, 0666, 0022});
    handle(open_file, "open");
    victim::print({path, victim::mode_of(path), "open", nullptr, -1, 0666, 0022});
    std::snprintf(other, sizeof other, "%s/other-%zu", dir.c_str(), left);
    handle(rename_file, "open");
    handle(change_mode, "chmod");
    handle(fail_to_exec, "execve");
    handle(vfork_and_exec, "vfork");
    if (left > 1000) handle(spawn, "posix_spawn");
  }
  return 0;
}
