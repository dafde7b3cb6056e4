// A service with two threads, which make as many files as a line on standard input says, and say
// "done". Ends with 7 at the end of the input. Linked statically.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <thread>

namespace {

void make_files(const char* name, int begin, int count) {
  char path[64];
  for (int i = begin; i < begin + count; ++i) {
    std::snprintf(path, sizeof path, "%s%d", name, i);
    close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0666));
  }
}

std::mutex wanted, done;
int from = 0, number = 0;

// Lives as long as the service.
void serve() {
  for (;;) {
    wanted.lock();
    if (number < 0) return;
    make_files("b", from, number);
    done.unlock();
  }
}

}  // namespace

int main() {
  wanted.lock();
  done.lock();
  std::thread second(serve);
  std::puts("ready");
  std::fflush(stdout);
  for (char line[32]; std::fgets(line, sizeof line, stdin) != nullptr;) {
    std::sscanf(line, "%d", &number);
    wanted.unlock();
    make_files("a", from, number);
    done.lock();
    from += number;
    std::puts("done");
    std::fflush(stdout);
  }
  number = -1;
  wanted.unlock();
  second.join();
  return 7;
}
