// Starts shells by system(3), popen(3) and wordexp(3), which libc does by itself: after it has
// cleaned its environment, or moved into another root. Each shell makes a directory.
// Ground truth: lstat(2) of each directory, and that nothing is on stderr.
// Usage: libc_shells DIR clean | libc_shells DIR chroot JAIL (DIR as it is named in there)
#include <sys/wait.h>
#include <wordexp.h>

#include "victim.h"

namespace {

void show(const std::string& path) { victim::print({path, victim::mode_of(path)}); }

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = argc > 1 ? argv[1] : ".";
  const std::string how = argc > 2 ? argv[2] : "clean";
  if (how == "clean") {
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
  } else {
    victim::need(chroot(argv[3]), "chroot");
    victim::need(chdir("/"), "chdir");
  }
  if (system(("umask 0; mkdir " + dir + "/by-system; :").c_str()) != 0) victim::die("system");
  FILE* stream = popen(("umask 0; mkdir " + dir + "/by-popen; :").c_str(), "r");
  if (stream == nullptr || pclose(stream) != 0) victim::die("popen");
  wordexp_t words{};
  if (wordexp(("$(umask 0; mkdir " + dir + "/by-wordexp; :)").c_str(), &words, 0) != 0) {
    victim::die("wordexp");
  }
  wordfree(&words);
  for (const char* name : {"/by-system", "/by-popen", "/by-wordexp"}) show(dir + name);
  return 0;
}
