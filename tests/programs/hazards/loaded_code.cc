// Code that is loaded late changes the mask and creates: a library's constructor, a function of it,
// and its destructor, by dlopen or in a link name space of its own by dlmopen.
// Ground truth: stat of each object, and the mask that umask returns at the end.
// Usage: loaded_code DIR dlopen|dlmopen LIBRARY
#include <dlfcn.h>

#include "victim.h"

namespace {

void tell(const std::string& path, int requested, int mask) {
  victim::print({path, victim::mode_of(path), nullptr, nullptr, victim::tid(), requested, mask});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc < 4) victim::die("usage");
  const bool apart = std::strcmp(argv[2], "dlmopen") == 0;
  umask(0022);
  victim::need(chdir(dir.c_str()), "chdir");
  void* const library = apart ? dlmopen(LM_ID_NEWLM, argv[3], RTLD_NOW) : dlopen(argv[3], RTLD_NOW);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 99;
  }
  tell(dir + "/by-constructor", 0666, 0007);
  reinterpret_cast<void (*)()>(dlsym(library, "loaded_code_create"))();
  tell(dir + "/by-function", 0666, 0077);
  if (!apart) {  // two libcs do not end well together
    dlclose(library);
    tell(dir + "/by-destructor", 0666, 0002);
  }
  victim::create(dir + "/by-program", 0666);
  std::printf(R"({"mask":"%04o"})"
              "\n",
              umask(0022));
  return 0;
}
