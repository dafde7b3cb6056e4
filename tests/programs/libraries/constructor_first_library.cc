// A library whose constructor calls umask and mkdir, maybe before any other library is set up.
// Ground truth: the directory named by VICTIM_DIR gets an object under mask 027.
// Linked by constructor_first.
#include "victim.h"

extern "C" {
int constructor_result = -1;
}

__attribute__((constructor)) static void first() {
  const char* dir = std::getenv("VICTIM_DIR");
  if (dir == nullptr) return;
  umask(0027);
  char path[4096];
  std::snprintf(path, sizeof(path), "%s/by-constructor", dir);
  constructor_result = mkdir(path, 0777);
}
