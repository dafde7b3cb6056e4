// A program whose library creates an object before main, and before our constructor could run.
// Ground truth: VICTIM_DIR/by-constructor is 0750, by stat. Usage: constructor_first DIR
// Also executes itself once, to set VICTIM_DIR.
#include "victim.h"

extern "C" int constructor_result;

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (std::getenv("VICTIM_DIR") == nullptr) {
    setenv("VICTIM_DIR", dir.c_str(), 1);
    execv("/proc/self/exe", argv);
    victim::die("execv");
  }
  const std::string path = dir + "/by-constructor";
  if (constructor_result != 0) victim::die("mkdir in the constructor");
  victim::print({path, victim::mode_of(path), "mkdir", nullptr, victim::tid(), 0777, 0027});
  victim::create(dir + "/by-main", 0666, 0027);
  return 0;
}
