// Opens /dev/null with O_CREAT again and again from one place, some of it in children, as a shell's
// "> /dev/null" does; and another file three times.
// Usage: opens_again DIR [TIMES]
// Ground truth: the counts that it prints.
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

namespace {

[[gnu::noinline]] void redirect(const std::string& path) {
  close(victim::need(open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0666), path.c_str()));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int times = argc > 2 ? std::atoi(argv[2]) : 1000;
  umask(0022);
  const std::string file = dir + "/file";
  victim::create(file, 0666, 0022);
  for (int i = 0; i < times; ++i) redirect("/dev/null");
  for (int i = 0; i < 3; ++i) redirect(file);
  constexpr int kChildren = 20;
  for (int i = 0; i < kChildren; ++i) {
    const pid_t child = victim::need(fork(), "fork");
    if (child == 0) {
      redirect("/dev/null");
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }
  umask(0077);  // another mask: another record
  redirect("/dev/null");
  std::printf("{\"null\": %d, \"file\": 3}\n", times + kChildren);
  std::fflush(stdout);
  if (argc > 3) raise(SIGKILL);
  return 0;
}
