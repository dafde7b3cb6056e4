// Threads with the smallest stack that the system allows call umask and create.
// Ground truth: they do not overflow; fstat of each file. Usage: small_stack DIR
// Also an alternate signal stack of minimal size, whose handler does the same.
#include <climits>
#include <csignal>
#include <vector>

#include "victim.h"

namespace {

constexpr int kThreads = 16;

std::string dir;
int dir_fd = -1;

// Spends little stack itself: no path is built here.
void* body(void* name) {
  umask(0022);
  const int fd = openat(dir_fd, static_cast<const char*>(name), O_CREAT | O_EXCL | O_WRONLY, 0666);
  if (fd < 0) _exit(98);
  close(fd);
  return nullptr;
}

void on_signal(int) {
  static char name[] = "handler";
  body(name);
}

}  // namespace

int main(int argc, char** argv) {
  dir = victim::directory(argc, argv);
  dir_fd = victim::need(open(dir.c_str(), O_RDONLY | O_DIRECTORY), "open");
  umask(0022);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const auto smallest = static_cast<std::size_t>(PTHREAD_STACK_MIN);
  if (pthread_attr_setstacksize(&attributes, smallest) != 0) victim::die("stack size");
  char names[kThreads][8];
  for (int i = 0; i < kThreads; ++i) {
    std::snprintf(names[i], sizeof(names[i]), "t%d", i);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, body, names[i]) != 0) victim::die("pthread_create");
    pthread_join(thread, nullptr);
  }
  std::vector<char> memory(static_cast<std::size_t>(SIGSTKSZ));
  const stack_t stack{memory.data(), 0, memory.size()};
  victim::need(sigaltstack(&stack, nullptr), "sigaltstack");
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  victim::need(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  raise(SIGUSR1);
  for (const char* name : names) {
    const std::string path = dir + "/" + name;
    victim::print({path, victim::mode_of(path), "openat", nullptr, -1, 0666, 0022});
  }
  const std::string path = dir + "/handler";
  victim::print({path, victim::mode_of(path), "openat", nullptr, victim::tid(), 0666, 0022});
  return 0;
}
