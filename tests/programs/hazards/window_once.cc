// One window, one creation inside it and one outside, in a fixed order. Then a mask that is set for
// good, which is no window. Ground truth: fstat. Usage: window_once DIR
#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(027);
  static victim::Barrier turn(2);
  pthread_t setter;
  pthread_create(
      &setter, nullptr,
      [](void*) -> void* {
        victim::name_thread("setter");
        const mode_t mask = umask(0);
        turn.wait();  // the window is open
        turn.wait();
        umask(mask);
        turn.wait();  // and closed
        turn.wait();
        umask(077);
        turn.wait();  // for good
        return nullptr;
      },
      nullptr);
  turn.wait();
  victim::create(dir + "/inside");
  turn.wait();
  turn.wait();
  victim::create(dir + "/outside");
  turn.wait();
  turn.wait();
  victim::create(dir + "/afterwards");
  pthread_join(setter, nullptr);
  return 0;
}
