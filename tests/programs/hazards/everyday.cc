// What programs do every day, with nothing left to chance: threads that create, streams, temporary
// files, a forked child that changes the mask and execs. Usage: everyday DIR
// Ground truth: lstat of each object at the end. Built plain, and with the sanitizers' runtimes.
#include <sys/wait.h>

#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kThreads = 4;
constexpr int kEach = 25;

std::string name_of(const std::string& dir, int thread, int number) {
  return dir + "/" + std::to_string(thread) + "-" + std::to_string(number);
}

void work(const std::string& dir, int thread) {
  for (int i = 0; i < kEach; ++i) {
    const std::string name = name_of(dir, thread, i);
    if (i % 2 == 0) {
      victim::need(mkdir(name.c_str(), 0777), name.c_str());
    } else {
      close(victim::need(open(name.c_str(), O_CREAT | O_WRONLY, 0666), name.c_str()));
    }
  }
}

void show(const std::string& path) { victim::print({path, victim::mode_of(path)}); }

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0027);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, dir, i);
  for (auto& thread : threads) thread.join();

  const std::string stream = dir + "/stream";
  FILE* file = std::fopen(stream.c_str(), "w");
  if (file == nullptr || std::fputs("x", file) < 0 || std::fclose(file) != 0) victim::die("fopen");
  std::string temporary = dir + "/tmp-XXXXXX";
  close(victim::need(mkstemp(temporary.data()), "mkstemp"));
  const std::string kept = dir + "/kept";
  victim::need(rename(temporary.c_str(), kept.c_str()), "rename");
  victim::need(mkfifo((dir + "/fifo").c_str(), 0666), "mkfifo");

  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    umask(0077);
    victim::need(mkdir((dir + "/child").c_str(), 0777), "mkdir");
    execl("/bin/mkdir", "mkdir", (dir + "/exec").c_str(), nullptr);
    _exit(99);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("the child failed");

  for (int thread = 0; thread < kThreads; ++thread) {
    for (int i = 0; i < kEach; ++i) show(name_of(dir, thread, i));
  }
  for (const char* name : {"stream", "fifo", "child", "exec"}) show(dir + "/" + name);
  return 0;
}
