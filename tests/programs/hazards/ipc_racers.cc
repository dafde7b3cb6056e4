// Threads that create, open and remove the same queue and the same shared memory all the time.
// Ground truth: the inode behind each descriptor. Numbers are not used twice there, so that each
// inode was created by exactly one of the calls that got it. Usage: ipc_racers [ROUNDS]
#include <mqueue.h>
#include <sys/mman.h>

#include <set>

#include "victim.h"

namespace {

constexpr unsigned kThreads = 4;

std::string name;
unsigned rounds = 6000;
victim::Barrier start(kThreads);

struct Racer {
  bool queues;
  std::set<ino_t> inodes;
};

int open_object(bool queue) {
  return queue ? mq_open(name.c_str(), O_CREAT | O_RDWR, 0600, victim::small_queue())
               : shm_open(name.c_str(), O_CREAT | O_RDWR, 0600);
}

void* race(void* argument) {
  auto& racer = *static_cast<Racer*>(argument);
  start.wait();
  for (unsigned round = 0; round < rounds; ++round) {
    const int fd = victim::need(open_object(racer.queues), "open");
    struct stat facts;
    victim::need(fstat(fd, &facts), "fstat");
    racer.inodes.insert(facts.st_ino);
    racer.queues ? mq_unlink(name.c_str()) : shm_unlink(name.c_str());
    close(fd);
  }
  return nullptr;
}

void race_for(bool queues) {
  pthread_t threads[kThreads];
  Racer racers[kThreads];
  for (unsigned i = 0; i < kThreads; ++i) {
    racers[i].queues = queues;
    if (pthread_create(&threads[i], nullptr, race, &racers[i]) != 0) victim::die("pthread_create");
  }
  std::set<ino_t> all;
  for (unsigned i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], nullptr);
    all.merge(racers[i].inodes);
  }
  for (const ino_t inode : all) {
    std::printf(R"({"call":"%s","ino":%lu})"
                "\n",
                queues ? "mq_open" : "shm_open", static_cast<unsigned long>(inode));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) rounds = static_cast<unsigned>(std::atoi(argv[1]));
  name = "/umaskaudit-racers-" + std::to_string(getpid());
  race_for(true);
  race_for(false);
}
