// Two threads make files while a third reads the mask by writing it. Linked statically; argument:
// how many files each makes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<bool> over = false;

void toggle_mask() {
  while (!over) umask(umask(0));
}

void make_files(const char* name, int count) {
  char path[64];
  for (int i = 0; i < count; ++i) {
    std::snprintf(path, sizeof path, "r/%s%d", name, i);
    const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0666);
    if (fd < 0) std::abort();
    close(fd);
  }
}

}  // namespace

int main(int, char** argv) {
  const int count = argv[1] != nullptr ? std::atoi(argv[1]) : 50;
  umask(022);
  if (mkdir("r", 0777) != 0) return 1;
  std::thread toggler(toggle_mask);
  std::thread other(make_files, "other", count);
  make_files("main", count);
  other.join();
  over = true;
  toggler.join();
  return 0;
}
