// A storm of timer signals whose handler calls umask and creates, on top of code that does the
// same. Ground truth: it ends, and each file's mode by fstat. Usage: handler_umask DIR [SIGNALS]
// With a plain mutex around umask this hangs within milliseconds.
#include <sys/time.h>

#include <csignal>
#include <vector>

#include "victim.h"

namespace {

volatile sig_atomic_t handled = 0;
unsigned handler_modes[100000];
int dir_fd = -1;

void name_file(char* name, unsigned number) {
  name[0] = 'h';
  for (int digit = 5; digit >= 1; --digit, number /= 10)
    name[digit] = static_cast<char>('0' + number % 10);
  name[6] = '\0';
}

void on_alarm(int) {
  const int saved = errno;
  const mode_t mask = umask(0002);
  char name[8];
  name_file(name, static_cast<unsigned>(handled));
  const int fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_WRONLY, 0666);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) _exit(98);
  handler_modes[handled] = status.st_mode & 07777;
  close(fd);
  umask(mask);
  handled = handled + 1;
  errno = saved;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int signals = argc > 2 ? std::atoi(argv[2]) : 2000;
  dir_fd = victim::need(open(dir.c_str(), O_RDONLY | O_DIRECTORY), "open");
  umask(0077);
  struct sigaction action {};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  // Longer than the handler takes, also where each of its calls is logged on a busy machine: else
  // the code below it never goes on.
  const itimerval every{{0, 2000}, {0, 2000}};
  victim::need(setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  std::vector<unsigned> modes;
  while (handled < signals && handled < 99999) {
    umask(0027);
    const std::string path = dir + "/m" + std::to_string(modes.size());
    const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), "open");
    modes.push_back(victim::mode_of(fd));
    close(fd);
    umask(0077);
  }
  const itimerval never{};
  victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  for (std::size_t i = 0; i < modes.size(); ++i) {
    victim::print(
        {dir + "/m" + std::to_string(i), modes[i], "open", nullptr, victim::tid(), 0666, -1});
  }
  for (int i = 0; i < handled; ++i) {
    char name[8];
    name_file(name, static_cast<unsigned>(i));
    victim::print({dir + "/" + name, handler_modes[i], "openat", nullptr, victim::tid(), 0666, -1});
  }
  return 0;
}
