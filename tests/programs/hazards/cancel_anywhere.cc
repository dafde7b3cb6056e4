// Cancels a thread that may be cancelled at any instruction, while it calls mq_open, open, mkdir
// and umask in turns: none of these is a place where it waits. Usage: cancel_anywhere DIR [ROUNDS]
// Ground truth: each ends by its cancellation, and the main thread's umask call comes back.
// A wrapper that is interrupted with its lock held, or that lets nothing unwind, ends the program.
#include <mqueue.h>
#include <sched.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

namespace {

std::string queue;
std::atomic<unsigned> turns{0};

// Nothing here owns anything: no frame needs cleaning up, at whatever instruction.
void* call_for_ever(void*) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
  for (;;) {
    umask(0022);
    close(mq_open(queue.c_str(), O_CREAT | O_RDWR, 0600, nullptr));
    close(open("file", O_CREAT | O_WRONLY, 0666));
    mkdir("made", 0777);
    rmdir("made");
    turns.fetch_add(1);
  }
}

// In a child: whatever becomes of it, the queue does not stay in the system.
int watch_over(pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  mq_unlink(queue.c_str());
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  raise(WTERMSIG(status));
  return 98;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 200;
  victim::need(chdir(dir.c_str()), "chdir");
  queue = "/umaskaudit-cancel-" + std::to_string(getpid());
  const pid_t child = victim::need(fork(), "fork");
  if (child != 0) return watch_over(child);
  for (int i = 0; i < rounds; ++i) {
    pthread_t thread;
    turns = 0;
    if (pthread_create(&thread, nullptr, call_for_ever, nullptr) != 0) victim::die("thread");
    while (turns < static_cast<unsigned>(1 + i % 5)) sched_yield();
    pthread_cancel(thread);
    void* result = nullptr;
    pthread_join(thread, &result);
    if (result != PTHREAD_CANCELED) victim::die("not cancelled");
    umask(0027);
  }
  closefrom(3);  // what the cancelled threads left open
  victim::create(dir + "/after", 0666, 0027);
  return 0;
}
