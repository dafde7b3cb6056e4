// Opens POSIX IPC objects with O_CREAT: new ones, existing ones, and with O_EXCL; checks that errno
// stays where a call succeeds. Ground truth: that a name was free is known by opening it without
// O_CREAT first, the modes by fstat.
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "victim.h"

namespace {

void show(const char* call, const std::string& name, bool created, unsigned mode) {
  std::printf(R"({"call":"%s","name":"%s","created":%s,"final":"%04o"})"
              "\n",
              call, name.c_str(), created ? "true" : "false", mode);
}

void check_errno(const char* what) {
  if (errno != 4321) victim::die(what);
}

void queue(const std::string& name, int flags) {
  const bool existed = mq_open(name.c_str(), O_RDONLY) != static_cast<mqd_t>(-1);
  errno = 4321;
  const mqd_t fd = mq_open(name.c_str(), O_CREAT | O_RDWR | flags, 0666, nullptr);
  if (fd == static_cast<mqd_t>(-1)) victim::die("mq_open");
  check_errno("mq_open's errno");
  show("mq_open", name, !existed, victim::mode_of(fd));
}

void memory(const std::string& name, int flags) {
  const bool existed = shm_open(name.c_str(), O_RDONLY, 0) != -1;
  errno = 4321;
  const int fd = victim::need(shm_open(name.c_str(), O_CREAT | O_RDWR | flags, 0666), "shm_open");
  check_errno("shm_open's errno");
  show("shm_open", name, !existed, victim::mode_of(fd));
}

void semaphore(const std::string& name, int flags) {
  sem_t* const before = sem_open(name.c_str(), 0);
  errno = 4321;
  sem_t* const now = sem_open(name.c_str(), O_CREAT | flags, 0666, 3);
  if (now == SEM_FAILED) victim::die("sem_open");
  check_errno("sem_open's errno");
  if (before != SEM_FAILED && before != now) victim::die("another semaphore");
  int value = 0;
  sem_getvalue(now, &value);
  if (value != 3) victim::die("sem_getvalue");
  show("sem_open", name, before == SEM_FAILED, victim::mode_of("/dev/shm/sem." + name.substr(1)));
}

}  // namespace

int main() {
  const std::string name = "/umaskaudit-ipc-" + std::to_string(getpid());
  umask(0026);
  for (const int flags : {0, 0}) {
    queue(name, flags);
    memory(name, flags);
    semaphore(name, flags);
  }
  const std::string other = name + "-excl";
  queue(other, O_EXCL);
  memory(other, O_EXCL);
  semaphore(other, O_EXCL);
  // Refused alike, with and without an auditor.
  if (mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666, nullptr) >= 0 || errno != EEXIST) {
    victim::die("mq_open twice");
  }
  if (sem_open("/a/b", O_CREAT, 0666, 1) != SEM_FAILED || errno != EINVAL) victim::die("a/b");
  if (sem_open(other.c_str(), O_CREAT | O_EXCL, 0666, 1) != SEM_FAILED || errno != EEXIST) {
    victim::die("sem_open twice");
  }
  for (const std::string& made : {name, other}) {
    mq_unlink(made.c_str());
    shm_unlink(made.c_str());
    sem_unlink(made.c_str());
  }
}
