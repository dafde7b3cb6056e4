// A library with an IFUNC of its own, whose resolver makes an object: the loader calls it when it
// relocates this library, which it does before it relocates a preloaded one.
// Ground truth: "early" in the working directory is 0640, by lstat. Linked by early_code.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
static int answer() { return 1; }
__attribute__((used)) static int (*resolve())() {
  umask(0027);
  close(open("early", O_CREAT | O_EXCL | O_WRONLY, 0666));
  return answer;
}
__attribute__((visibility("hidden"))) int hidden() __attribute__((ifunc("resolve")));
int resolved() { return hidden(); }
}
