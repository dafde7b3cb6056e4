// Starts without descriptors 0, 1 and 2, as a badly written supervisor does, and opens its own
// files. Ground truth: they get the numbers 0, 1 and 2, and hold nothing but what was written here.
// A shim that logs to descriptor 2 writes into a file of the program. Usage: no_descriptors DIR
#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  int wrong = 0;
  for (int fd = 0; fd < 3; ++fd) {
    const std::string path = dir + "/own" + std::to_string(fd);
    wrong += open(path.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666) != fd;
  }
  umask(0027);
  mkdir((dir + "/made").c_str(), 0777);
  for (int fd = 0; fd < 3; ++fd) {
    struct stat status;
    victim::need(fstat(fd, &status), "fstat");
    wrong += status.st_size != 0;
  }
  return wrong == 0 ? 0 : 1;
}
