// A library that creates when asked, and when it is loaded and unloaded.
// Ground truth: none of its own; dlopen_storm counts.
// Loaded and unloaded many times by dlopen_storm.
#include "victim.h"

extern "C" __attribute__((noinline)) void storm_create(const char* path) {
  umask(0022);
  close(open(path, O_CREAT | O_WRONLY, 0666));
  umask(0022);
}
