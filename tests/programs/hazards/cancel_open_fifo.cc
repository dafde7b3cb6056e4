// Cancels a thread that blocks inside open(2), openat, creat or fopen of a FIFO without a reader.
// Ground truth: pthread_join says PTHREAD_CANCELED and the cleanup handler ran, each time.
// A wrapper that is noexcept, or catches everything, ends the program instead.
#include <sched.h>

#include "victim.h"

namespace {

constexpr int kRounds = 25;

std::string fifo;
int cleaned = 0;
std::atomic<int> about_to_block{0};  // the thread's id

using Block = void (*)();
const Block kBlocks[] = {
    [] { open(fifo.c_str(), O_WRONLY | O_CREAT, 0600); },
    [] { openat(AT_FDCWD, fifo.c_str(), O_WRONLY | O_CREAT, 0600); },
    [] { creat(fifo.c_str(), 0600); },
    [] {
      if (FILE* stream = fopen(fifo.c_str(), "w")) fclose(stream);
    },
};

void* run_block(void* block) {
  pthread_cleanup_push([](void*) { ++cleaned; }, nullptr);
  about_to_block = victim::tid();
  (*static_cast<const Block*>(block))();
  pthread_cleanup_pop(0);
  return nullptr;
}

// True when the kernel says that thread `tid` sleeps: proc(5), third field of stat.
bool sleeps(int tid) {
  const std::string path = "/proc/self/task/" + std::to_string(tid) + "/stat";
  FILE* stat = std::fopen(path.c_str(), "r");
  if (stat == nullptr) victim::die(path.c_str());
  char state = 0;
  const bool read = std::fscanf(stat, "%*d %*s %c", &state) == 1;
  std::fclose(stat);
  return read && state == 'S';
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  fifo = dir + "/fifo";
  victim::need(mkfifo(fifo.c_str(), 0600), "mkfifo");
  int wanted = 0;
  for (const Block& block : kBlocks) {
    for (int i = 0; i < kRounds; ++i, ++wanted) {
      about_to_block = 0;
      pthread_t thread;
      if (pthread_create(&thread, nullptr, run_block, const_cast<Block*>(&block)) != 0) {
        victim::die("pthread_create");
      }
      while (about_to_block == 0 || !sleeps(about_to_block)) sched_yield();
      umask(umask(0));  // must not wait for a thread that is blocked in a creating call
      pthread_cancel(thread);
      void* result = nullptr;
      pthread_join(thread, &result);
      if (result != PTHREAD_CANCELED) victim::die("not cancelled");
    }
  }
  std::fprintf(stderr, "%d cancelled, %d cleaned up\n", wanted, cleaned);
  if (cleaned != wanted) return 1;
  // A lock that was left behind would hang here.
  umask(umask(0));
  victim::create(dir + "/after");
  return 0;
}
