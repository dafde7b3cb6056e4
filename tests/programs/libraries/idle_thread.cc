// A preload that gives a program a second thread, which does nothing until the program ends: what
// only threaded programs are told becomes testable with those that have none.
// Used by tests/e2e/test_script_places.py.
#include "victim.h"

namespace {

void* idle(void*) {
  for (;;) pause();
}

__attribute__((constructor)) void start() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, idle, nullptr) != 0) victim::die("pthread_create");
}

}  // namespace
