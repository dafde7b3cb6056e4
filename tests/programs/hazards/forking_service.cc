// A service that forks a child for each request, as postgres, sshd and cron do:
// forking_service DIR [REQUESTS]. Each child sets its own mask, makes five files and ends. One
// child that was forked after the first hundred requests lives until the last: it sets 0027, waits,
// and makes a file at the end. True: the line of that file, and the last line says how many files
// and children there were.
#include <sys/wait.h>

#include "victim.h"

namespace {

constexpr int kBeforeResident = 100;
constexpr int kFiles = 5;

void wait_for_child(pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("a child failed");
}

void serve(const std::string& directory) {
  umask(077);
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = directory + "/request-" + std::to_string(i);
    close(victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), "open"));
    victim::need(unlink(path.c_str()), "unlink");
  }
}

// Makes its file when the other end of the pipe closes.
void reside(const std::string& directory, const int (&ends)[2]) {
  close(ends[1]);
  umask(027);
  char byte = 0;
  victim::need(read(ends[0], &byte, 1), "read");
  victim::create(directory + "/resident", 0666, 027);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = victim::directory(argc, argv);
  const int requests = argc > 2 ? std::atoi(argv[2]) : 200;
  int ends[2];
  victim::need(pipe(ends), "pipe");
  pid_t resident = 0;
  for (int i = 0; i < requests; ++i) {
    if (i == kBeforeResident) {
      resident = victim::need(fork(), "fork");
      if (resident == 0) {
        reside(directory, ends);
        _exit(0);
      }
    }
    const pid_t child = victim::need(fork(), "fork");
    if (child == 0) {
      serve(directory);
      _exit(0);
    }
    wait_for_child(child);
  }
  close(ends[1]);
  if (resident != 0) wait_for_child(resident);
  std::printf(R"({"made":%d,"children":%d,"resident":%d})"
              "\n",
              requests * kFiles + 1, requests + 1, static_cast<int>(resident));
  return 0;
}
