// Opens POSIX IPC objects with O_CREAT: new ones, existing ones, and with O_EXCL; checks that errno
// stays where a call succeeds. Ground truth: that a name was free is known by opening it without
// O_CREAT first, the modes by fstat.
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "victim.h"

namespace {

std::string name;
std::string other;

void remove_all() {
  for (const std::string& made : {name, other}) {
    mq_unlink(made.c_str());
    shm_unlink(made.c_str());
    sem_unlink(made.c_str());
  }
}

[[noreturn]] void fail(const char* what) {
  const int error = errno;
  remove_all();
  errno = error;
  victim::die(what);
}

void show(const char* call, const std::string& object, bool created, unsigned mode) {
  std::printf(R"({"call":"%s","name":"%s","created":%s,"final":"%04o"})"
              "\n",
              call, object.c_str(), created ? "true" : "false", mode);
}

void check_errno(const char* what) {
  if (errno != 4321) fail(what);
}

void queue(const std::string& object, int flags) {
  const bool existed = mq_open(object.c_str(), O_RDONLY) != static_cast<mqd_t>(-1);
  errno = 4321;
  const mqd_t fd = mq_open(object.c_str(), O_CREAT | O_RDWR | flags, 0666, victim::small_queue());
  if (fd == static_cast<mqd_t>(-1)) fail("mq_open");
  check_errno("mq_open's errno");
  show("mq_open", object, !existed, victim::mode_of(fd));
}

void memory(const std::string& object, int flags) {
  const bool existed = shm_open(object.c_str(), O_RDONLY, 0) != -1;
  errno = 4321;
  const int fd = shm_open(object.c_str(), O_CREAT | O_RDWR | flags, 0666);
  if (fd == -1) fail("shm_open");
  check_errno("shm_open's errno");
  show("shm_open", object, !existed, victim::mode_of(fd));
}

void semaphore(const std::string& object, int flags) {
  sem_t* const before = sem_open(object.c_str(), 0);
  errno = 4321;
  sem_t* const now = sem_open(object.c_str(), O_CREAT | flags, 0666, 3);
  if (now == SEM_FAILED) fail("sem_open");
  check_errno("sem_open's errno");
  if (before != SEM_FAILED && before != now) fail("another semaphore");
  int value = 0;
  sem_getvalue(now, &value);
  if (value != 3) fail("sem_getvalue");
  const std::string file = "/dev/shm/sem." + object.substr(1);
  show("sem_open", object, before == SEM_FAILED, victim::mode_of(file));
}

}  // namespace

int main() {
  name = "/umaskaudit-ipc-" + std::to_string(getpid());
  other = name + "-excl";
  umask(0026);
  for (int round = 0; round < 2; ++round) {
    queue(name, 0);
    memory(name, 0);
    semaphore(name, 0);
  }
  queue(other, O_EXCL);
  memory(other, O_EXCL);
  semaphore(other, O_EXCL);
  // Refused alike, with and without an auditor.
  const int exclusive = O_CREAT | O_EXCL | O_RDWR;
  if (mq_open(name.c_str(), exclusive, 0666, victim::small_queue()) >= 0 || errno != EEXIST) {
    fail("mq_open twice");
  }
  if (sem_open("/a/b", O_CREAT, 0666, 1) != SEM_FAILED || errno != EINVAL) fail("a/b");
  if (sem_open(other.c_str(), exclusive, 0666, 1) != SEM_FAILED || errno != EEXIST) {
    fail("sem_open twice");
  }
  remove_all();
}
