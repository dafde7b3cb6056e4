// Loads one library after the other, each where the one before it was, and lets it create.
// Ground truth: fstat of each file; file N is made by library N modulo 2, and the addresses met.
// Usage: loads_in_turns DIR LIBRARY LIBRARY
// A shim that remembers what it learned about an address names the wrong library.
#include <dlfcn.h>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc < 4) victim::die("LIBRARY is missing");
  constexpr int kRounds = 20;
  void* before = nullptr;
  int same = 0;
  for (int i = 0; i < kRounds; ++i) {
    void* handle = dlopen(argv[2 + i % 2], RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) victim::die(dlerror());
    void* symbol = dlsym(handle, "storm_create");
    same += symbol == before ? 1 : 0;
    before = symbol;
    const std::string path = dir + "/l" + std::to_string(i);
    reinterpret_cast<void (*)(const char*)>(symbol)(path.c_str());
    victim::print({path, victim::mode_of(path), "open", nullptr, victim::tid(), 0666, 0022});
    dlclose(handle);
  }
  std::fprintf(stderr, "%d of %d where another one was\n", same, kRounds);
  return 0;
}
