// Starts a program whose opens another process holds up, as a virus scanner does (fanotify(7)).
// While an open waits, another thread opens a file, calls umask and forks. Ground truth: that file
// gets the lowest number that was free before, and all three come back. Usage: watched_exec
// PROGRAM. Prints one line; ends with 77 where there is no fanotify. A shim that opens PROGRAM
// itself gives away a number of the program's; one that holds a lock over that open stops fork and
// umask for as long as the scanner takes.
#include <spawn.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

extern char** environ;

namespace {

int events[2];   // from the watcher: 'e' for each open that waits; from the spawning thread: 'd'
int answers[2];  // to the watcher: let it pass

// Ends with its program, however that ends: its standard output would stay open for ever.
[[noreturn]] void watch(int group, pid_t program) {
  victim::need(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
  if (getppid() != program) _exit(1);  // it was gone before
  for (;;) {
    alignas(fanotify_event_metadata) char buffer[4096];
    ssize_t size = victim::need(read(group, buffer, sizeof buffer), "read events");
    auto* event = reinterpret_cast<fanotify_event_metadata*>(buffer);
    for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
      char byte = 'e';
      victim::need(write(events[1], &byte, 1), "tell");
      victim::need(read(answers[0], &byte, 1), "wait for an answer");
      const fanotify_response response{event->fd, FAN_ALLOW};
      victim::need(write(group, &response, sizeof response), "let pass");
      close(event->fd);
    }
  }
}

void* start(void* program) {
  char* arguments[] = {static_cast<char*>(program), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, arguments[0], nullptr, nullptr, arguments, environ) != 0) {
    victim::die("posix_spawn");
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  victim::need(write(events[1], status == 0 ? "d" : "f", 1), "tell the end");
  return nullptr;
}

bool number_is_kept(int expected) {
  const int fd = victim::need(open("/dev/null", O_RDONLY), "/dev/null");
  close(fd);
  umask(umask(022));
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) _exit(0);
  victim::need(waitpid(child, nullptr, 0), "waitpid");
  return fd == expected;
}

}  // namespace

int main(int, char** argv) {
  const int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
  if (group < 0 || fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, argv[1]) != 0) {
    return 77;
  }
  victim::need(pipe(events), "pipe");
  victim::need(pipe(answers), "pipe");
  const pid_t self = getpid();
  const pid_t watcher = victim::need(fork(), "fork");
  if (watcher == 0) watch(group, self);
  close(group);
  const int lowest = victim::need(dup(0), "dup");
  close(lowest);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, start, argv[1]) != 0) victim::die("thread");
  bool kept = true;
  char byte = 0;
  while (victim::need(read(events[0], &byte, 1), "read") == 1 && byte == 'e') {
    kept = number_is_kept(lowest) && kept;
    victim::need(write(answers[1], &byte, 1), "answer");
  }
  pthread_join(thread, nullptr);
  kill(watcher, SIGKILL);
  waitpid(watcher, nullptr, 0);
  std::printf("child %s, number %s\n", byte == 'd' ? "ended" : "failed", kept ? "kept" : "taken");
  return 0;
}
