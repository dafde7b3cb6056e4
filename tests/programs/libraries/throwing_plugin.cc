// A C++ plug-in that throws through its own frames, and creates on the way down and up.
// Ground truth: the exception arrives where it is caught, and libgcc_s carried it (dladdr(3)).
// Loaded by plugin_host, which is plain C and has no libstdc++.
#include <dlfcn.h>
#include <unwind.h>

#include <stdexcept>

#include "victim.h"

namespace {

struct CreatesOnUnwind {
  std::string path;
  ~CreatesOnUnwind() { close(open(path.c_str(), O_CREAT | O_WRONLY, 0666)); }
};

void throw_after_creating(const std::string& dir) {
  [[maybe_unused]] const CreatesOnUnwind guard{dir + "/on-unwind"};
  mkdir((dir + "/before-throw").c_str(), 0777);
  throw std::runtime_error("thrown");
}

}  // namespace

// Returns how many of 100 exceptions arrived.
extern "C" int plugin_run(const char* dir) {
  int caught = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      throw_after_creating(dir);
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  Dl_info carrier;
  dladdr(reinterpret_cast<void*>(&_Unwind_RaiseException), &carrier);
  std::printf("carried by %s\n", std::strrchr(carrier.dli_fname, '/') + 1);
  return caught;
}
