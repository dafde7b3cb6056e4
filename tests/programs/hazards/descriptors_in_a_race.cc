// One thread changes the mask, or fails in openat2(2); the other closes all descriptors but its own
// and opens the lowest numbers (open(2)), or looks whether any is open. Ground truth: the numbers,
// and what the files hold. Usage: descriptors_in_a_race DIR ROUNDS [openat2]
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <sys/wait.h>

#include "victim.h"

namespace {

std::atomic<bool> stop = false;
int odd = 0;
int failed = 0;
constexpr char kRow[] = "row of this file\n";

void* change_mask(void*) {
  while (!stop) {
    umask(0022);
    umask(0027);
  }
  return nullptr;
}

// A directory is not opened for writing. The kernel takes a number before it finds that out and
// gives it back: other calls get the next one, but no file is ever open under it.
void* fail_to_open(void*) {
  open_how how{};
  how.flags = O_CREAT | O_WRONLY;
  how.mode = 0600;
  how.resolve = RESOLVE_IN_ROOT;
  while (!stop) {
    if (syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how) != -1) victim::die("openat2");
  }
  return nullptr;
}

void fill(const std::string& path, int wanted) {
  const int fd = victim::need(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600), "open");
  if (fd != wanted) ++odd;
  for (int row = 0; row < 5; ++row) {
    if (write(fd, kRow, sizeof kRow - 1) != sizeof kRow - 1) ++failed;
  }
  close(fd);
}

void close_and_fill(const std::string& dir, int kept) {
  victim::need(syscall(SYS_close_range, 3, kept - 1, 0), "close_range");
  fill(dir + "/database", 3);
  close(0);
  victim::need(open("/dev/null", O_RDONLY), "open");
  close(2);
  fill(dir + "/errors", 2);
  victim::need(dup2(kept, 2), "dup2");
}

void look_for_others(int kept) {
  for (int i = 0; i < 1000; ++i) {
    for (int fd = 3; fd < kept; ++fd) odd += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
  }
}

int foreign_bytes(const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) victim::die(path.c_str());
  char line[8192];
  int found = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strcmp(line, kRow) != 0) found += static_cast<int>(std::strlen(line));
  }
  std::fclose(file);
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 100;
  constexpr int kKept = 10;  // standard error, while its number is another file's
  victim::need(dup3(2, kKept, O_CLOEXEC), "dup3");
  pthread_t thread;
  const bool looks = argc > 3;
  if (looks) victim::need(syscall(SYS_close_range, 3, kKept - 1, 0), "close_range");
  void* (*const other)(void*) = looks ? fail_to_open : change_mask;
  if (pthread_create(&thread, nullptr, other, nullptr) != 0) victim::die("pthread_create");
  for (int i = 0; i < rounds; ++i) {
    if (looks) {
      look_for_others(kKept);
    } else {
      close_and_fill(dir, kKept);
    }
  }
  stop = true;
  pthread_join(thread, nullptr);
  if (looks) {
    fill(dir + "/database", 3);
    fill(dir + "/errors", 3);
  }
  std::printf(R"({"odd":%d,"failed":%d,"foreign":%d})"
              "\n",
              odd, failed, foreign_bytes(dir + "/database") + foreign_bytes(dir + "/errors"));
  return 0;
}
