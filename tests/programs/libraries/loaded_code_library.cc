// Changes the mask and creates when it is loaded, called and unloaded.
// Ground truth: none of its own; loaded_code looks at what came of it.
// Loaded by loaded_code, in the working directory.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void create_under(mode_t mask, const char* name) {
  umask(mask);
  const int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0666);
  if (fd < 0) _exit(98);
  close(fd);
}

__attribute__((constructor)) static void loaded() { create_under(0007, "by-constructor"); }
__attribute__((destructor)) static void unloaded() { create_under(0002, "by-destructor"); }

extern "C" __attribute__((visibility("default"))) void loaded_code_create() {
  create_under(0077, "by-function");
}
