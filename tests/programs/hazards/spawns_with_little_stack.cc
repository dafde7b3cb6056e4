// A thread with the smallest stack starts programs, with an environment larger than that stack and
// without anybody's variables in it. Ground truth: every child ends with 0, as it does bare.
// Usage: spawns_with_little_stack. Prints one line a child.
// A shim that copies the environment onto the caller's stack overflows it.
#include <spawn.h>
#include <sys/wait.h>

#include <climits>
#include <vector>

#include "victim.h"

namespace {

constexpr int kVariables = 4000;
constexpr int kRounds = 20;  // more than a shim may leave behind when its child execs

std::vector<std::string> words;
std::vector<char*> environment;
char program[] = "/bin/true";
char* arguments[] = {program, nullptr};

void show(const char* how, pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  std::printf("%s %x\n", how, static_cast<unsigned>(status));
}

pid_t start_by_vfork() {
  const pid_t child = vfork();
  if (child == 0) {
    execve(program, arguments, environment.data());
    _exit(99);
  }
  return child;
}

void* start_programs(void*) {
  for (int i = 0; i < kRounds; ++i) {
    pid_t child = 0;
    if (posix_spawn(&child, program, nullptr, nullptr, arguments, environment.data()) != 0) {
      victim::die("posix_spawn");
    }
    show("posix_spawn", child);
    show("vfork", victim::need(start_by_vfork(), "vfork"));
  }
  // A failure gives back what it took.
  for (int i = 0; i < kRounds; ++i) execve("/nowhere", arguments, environment.data());
  return nullptr;
}

}  // namespace

int main() {
  for (int i = 0; i < kVariables; ++i) words.push_back("V" + std::to_string(i) + "=x");
  for (std::string& word : words) environment.push_back(word.data());
  environment.push_back(nullptr);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const auto smallest = static_cast<std::size_t>(PTHREAD_STACK_MIN);
  if (pthread_attr_setstacksize(&attributes, smallest) != 0) victim::die("stack size");
  pthread_t thread;
  if (pthread_create(&thread, &attributes, start_programs, nullptr) != 0) victim::die("thread");
  pthread_join(thread, nullptr);
  return 0;
}
