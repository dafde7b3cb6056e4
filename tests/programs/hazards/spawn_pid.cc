// A signal that waits while posix_spawn(3) runs is handled before the call returns: the handler
// must find the child's pid stored, as libc stores it with all signals blocked. A failure stores
// nothing. Usage: spawn_pid DIR. Prints one line a call: "known" or "unknown", "kept" or "changed".
// A shim that copies the pid into the program's variable when the call has returned fails.
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

extern char** environ;

namespace {

constexpr pid_t kUntouched = -7;

volatile pid_t child;
volatile pid_t seen_by_handler;
pthread_t main_thread;
std::string gates[2];

void look(int) { seen_by_handler = child; }

// The child opens both gates before its exec, and the caller of posix_spawn waits for that exec. So
// the signal is sent while the caller is inside libc.
void* send_signal(void*) {
  const int first = victim::need(open(gates[0].c_str(), O_WRONLY), "first gate");
  pthread_kill(main_thread, SIGUSR1);
  const int second = victim::need(open(gates[1].c_str(), O_WRONLY), "second gate");
  close(first);
  close(second);
  return nullptr;
}

using Spawn = decltype(&posix_spawn);

void spawn_with_signal(const char* name, Spawn spawn) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 2; ++i) {
    posix_spawn_file_actions_addopen(&actions, 100 + i, gates[i].c_str(), O_RDONLY, 0);
  }
  char program[] = "/bin/true";
  char* arguments[] = {program, nullptr};
  child = kUntouched;
  seen_by_handler = 0;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, send_signal, nullptr) != 0) victim::die("thread");
  if (spawn(const_cast<pid_t*>(&child), program, &actions, nullptr, arguments, environ) != 0) {
    victim::die(name);
  }
  pthread_join(thread, nullptr);
  const pid_t ended = victim::need(waitpid(-1, nullptr, 0), "waitpid");
  std::printf("%s %s\n", name, seen_by_handler == ended && child == ended ? "known" : "unknown");
  posix_spawn_file_actions_destroy(&actions);
}

void spawn_nothing(const char* name, Spawn spawn) {
  char program[] = "/nowhere/at-all";
  char* arguments[] = {program, nullptr};
  pid_t stored = kUntouched;
  if (spawn(&stored, program, nullptr, nullptr, arguments, environ) == 0) victim::die("no failure");
  std::printf("%s %s\n", name, stored == kUntouched ? "kept" : "changed");
}

void spawn_without_pointer(const char* name, Spawn spawn) {
  char program[] = "/bin/true";
  char* arguments[] = {program, nullptr};
  if (spawn(nullptr, program, nullptr, nullptr, arguments, environ) != 0) victim::die(name);
  int status = 1;
  victim::need(waitpid(-1, &status, 0), "waitpid");
  std::printf("%s ended %d\n", name, status);
}

void check(const char* name, Spawn spawn) {
  spawn_with_signal(name, spawn);
  spawn_nothing(name, spawn);
  spawn_without_pointer(name, spawn);
}

}  // namespace

int main(int argc, char** argv) {
  main_thread = pthread_self();
  struct sigaction action {};
  action.sa_handler = look;
  sigaction(SIGUSR1, &action, nullptr);
  for (int i = 0; i < 2; ++i) {
    gates[i] = std::string(argc > 1 ? argv[1] : ".") + "/gate" + std::to_string(i);
    victim::need(mkfifo(gates[i].c_str(), 0600), "mkfifo");
  }
  check("posix_spawn", posix_spawn);
  check("posix_spawnp", posix_spawnp);
  return 0;
}
