// Loads a library so that its calls go past every preload: with RTLD_DEEPBIND, and into a name
// space of its own. Ground truth: what it creates both times, by fstat. Usage: loads_apart DIR
// LIBRARY
// No preload can record these creations: the record must say that something is missing.
#include <dlfcn.h>

#include "victim.h"

namespace {

void create_by(void* library, const std::string& path) {
  if (library == nullptr) victim::die(dlerror());
  auto create = reinterpret_cast<void (*)(const char*)>(dlsym(library, "storm_create"));
  create(path.c_str());
  std::printf(R"({"unseen":"%s","final":"%04o"})"
              "\n",
              path.c_str(), victim::mode_of(path));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc < 3) victim::die("LIBRARY is missing");
  umask(0027);
  create_by(dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW), dir + "/by-dlmopen");
  create_by(dlopen(argv[2], RTLD_NOW | RTLD_DEEPBIND), dir + "/by-deepbind");
  victim::create(dir + "/seen", 0666, 0022);  // the library set it, both times
  return 0;
}
