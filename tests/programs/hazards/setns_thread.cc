// A thread that leaves the shared fs context and then enters a name space by setns(2): its own
// mount name space, which takes it to the root directory, and the mask stays its own.
// Ground truth: fstat; each mask is changed by its one thread only. Usage: setns_thread DIR
// Exits with 77 where setns(2) is not allowed.
#include <sched.h>

#include <thread>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  const int space = victim::need(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "ns/mnt");
  bool allowed = true;
  std::thread([&] {
    victim::name_thread("traveller");
    victim::need(unshare(CLONE_FS), "unshare");
    umask(0077);
    victim::create(dir + "/own", 0666, 0077);
    if (setns(space, CLONE_NEWNS) != 0) {
      allowed = false;
      return;
    }
    victim::create(dir + "/own-still", 0666, 0077);
    umask(0007);
    victim::create(dir + "/own-changed", 0666, 0007);
  }).join();
  victim::create(dir + "/main", 0666, 0022);
  return allowed ? 0 : 77;
}
