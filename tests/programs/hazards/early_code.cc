// A program whose code runs before any constructor and before libc has set `environ`: a function in
// .preinit_array (EARLY_PREINIT), the resolver of an IFUNC (EARLY_RESOLVER), or that of its
// library. Ground truth: "early" and "main" in the working directory are 0640, by lstat. Writes
// truth only.
#include "victim.h"

namespace {

[[maybe_unused]] void make_early() {
  umask(0027);
  close(open("early", O_CREAT | O_EXCL | O_WRONLY, 0666));
}

}  // namespace

#ifdef EARLY_PREINIT
static void before_all(int, char**, char**) { make_early(); }
__attribute__((section(".preinit_array"), used)) static void (*entry)(int, char**,
                                                                      char**) = before_all;
#elif defined(EARLY_LIBRARY)
extern "C" int resolved();
#else
extern "C" {
static int answer() { return 1; }
static int (*resolve())() {
  make_early();
  return answer;
}
int resolved() __attribute__((ifunc("resolve")));
}
#endif

int main() {
#ifndef EARLY_PREINIT
  if (resolved() != 1) victim::die("resolved");
#endif
  char directory[4096];
  if (getcwd(directory, sizeof directory) == nullptr) victim::die("getcwd");
  const std::string dir = directory;
  victim::print({dir + "/early", victim::mode_of(dir + "/early"), "open", nullptr, victim::tid(),
                 0666, 0027});
  victim::create(dir + "/main", 0666, 0027);
  return 0;
}
