// A program that is linked with libumaskaudit.so, so that the loader brings it in also where it
// ignores LD_PRELOAD: in secure-execution mode (getauxval(3), AT_SECURE).
// Ground truth: whether the kernel set AT_SECURE, on stdout. Usage: linked DIR
// A shim that obeys its variables there lets the user of a set-user-ID program write as its owner.
#include <sys/auxv.h>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  victim::need(mkdir((dir + "/made").c_str(), 0777), "mkdir");
  std::printf("secure %lu\n", getauxval(AT_SECURE));
  return 0;
}
