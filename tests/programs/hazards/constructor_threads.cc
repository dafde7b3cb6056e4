// A program whose library creates from several threads before main. Usage: constructor_threads,
// with VICTIM_DIR set. Ground truth: eight directories, by stat.
// A shim that is being started by one thread passes the calls of the others by unseen.
#include "victim.h"

extern "C" int constructor_made;

int main() {
  const char* dir = std::getenv("VICTIM_DIR");
  if (dir == nullptr || constructor_made != 8) victim::die("constructor");
  for (int i = 0; i < constructor_made; ++i) {
    const std::string path = std::string(dir) + "/d" + std::to_string(i);
    victim::print({path, victim::mode_of(path), "mkdir", nullptr, -1, 0777, -1});
  }
  return 0;
}
