// A thread unshares its fs context and starts another one, which shares it: a mask that the one
// sets is the mask of the other's files. Also masks with more bits than a mask has.
// Usage: second_context DIR
// Ground truth: fstat of each file; umask(2) takes 0777 of its argument.
#include <sched.h>

#include <thread>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(07027);
  victim::create(dir + "/main", 07666, 0027);
  std::thread([&] {
    victim::need(unshare(CLONE_FS), "unshare");
    umask(0077);
    victim::Barrier seen(2);
    victim::Barrier changed(2);
    std::thread friend_thread([&] {
      victim::create(dir + "/before", 0666, 0077);
      seen.wait();
      changed.wait();
      victim::create(dir + "/after", 0666, 0007);
    });
    seen.wait();
    umask(07007);
    changed.wait();
    friend_thread.join();
  }).join();
  victim::create(dir + "/main2", 0666, 0027);
  umask(0022);  // returns 0027
  return 0;
}
