// A thread that calls unshare(CLONE_FS) has a umask of its own from then on, as in Samba.
// Ground truth: its files follow its mask, the main thread's follow the other, in turns.
// Turns are taken with barriers: every mask is certain.
#include <sched.h>

#include <thread>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::Barrier turn(2);
  std::thread worker([&] {
    victim::name_thread("unshared");
    victim::create(dir + "/worker-shared", 0666, 0022);
    victim::need(unshare(CLONE_FS), "unshare");
    umask(0077);
    victim::create(dir + "/worker-own", 0666, 0077);
    turn.wait();
    turn.wait();  // the main thread changes the shared mask
    victim::create(dir + "/worker-own-still", 0666, 0077);
    turn.wait();
  });
  turn.wait();
  victim::create(dir + "/main-untouched", 0666, 0022);
  umask(0007);
  victim::create(dir + "/main-changed", 0666, 0007);
  turn.wait();
  turn.wait();
  victim::create(dir + "/main-still", 0666, 0007);
  worker.join();
  return 0;
}
