// Threads that unmap their own stack and struct pthread before pthread_create returns to their
// creator. Usage: vanishing_thread DIR
// Ground truth: it ends by itself: POSIX lets the thread do so, *thread is stored before it starts.
#include <sys/mman.h>

#include "victim.h"

namespace {

struct Job {
  pthread_t thread;
};
std::atomic<int> done = 0;

void* run(void* job) {
  pthread_detach(static_cast<Job*>(job)->thread);
  munmap(job, 4096);
  done.fetch_add(1);
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  for (int i = 0; i < 300; ++i) {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) victim::die("mmap");
    auto* job = static_cast<Job*>(page);
    if (pthread_create(&job->thread, nullptr, run, job) != 0) victim::die("pthread_create");
    while (done.load() == i) sched_yield();
  }
  victim::create(dir + "/after", 0666, 0022);
  return 0;
}
