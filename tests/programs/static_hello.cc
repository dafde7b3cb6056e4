// A statically linked program: no loader, no preload. Usage: static_hello DIR
// Ground truth: it creates an object that no shim can see.
// The auditor must say so: a blind spot, exec-static.
#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0027);
  victim::need(mkdir((dir + "/made-static").c_str(), 0777), "mkdir");
  std::puts("hello");
  return 0;
}
