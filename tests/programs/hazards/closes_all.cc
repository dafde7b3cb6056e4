// Closes every descriptor it does not know, as daemons do, also 0 to 2, and goes on creating.
// Ground truth: fstat; the lowest free descriptor is always the one that POSIX promises.
// A shim that keeps a descriptor open loses it here, or writes its trace into the program's file.
#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::create(dir + "/before", 0666, 0022);
  std::fflush(stdout);
  const int out = victim::need(fcntl(STDOUT_FILENO, F_DUPFD, 100), "dup");
  for (int fd = 0; fd < 100; ++fd) close(fd);
  int wrong = 0;
  std::string truths;
  for (int fd = 0; fd < 5; ++fd) {
    umask(static_cast<mode_t>(fd));
    const std::string path = dir + "/after" + std::to_string(fd);
    const int got = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666);
    wrong += got != fd;
  }
  victim::need(dup2(out, STDOUT_FILENO), "dup2");
  for (int fd = 0; fd < 5; ++fd) {
    const std::string path = dir + "/after" + std::to_string(fd);
    victim::print({path, victim::mode_of(path), "open", nullptr, victim::tid(), 0666, fd});
    // Only this program has written here.
    struct stat status;
    victim::need(stat(path.c_str(), &status), "stat");
    wrong += status.st_size != 0 && fd != STDOUT_FILENO;
  }
  std::fflush(stdout);
  closefrom(3);
  victim::create(dir + "/after-closefrom");
  return wrong == 0 ? 0 : 1;
}
