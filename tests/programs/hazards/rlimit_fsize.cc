// Lives under RLIMIT_FSIZE of a few KiB: any write or fallocate beyond it kills by SIGXFSZ.
// Ground truth: it ends by itself; its own write over the limit still gets the signal.
// A shim that grows its trace without minding the limit kills its host.
#include <sys/resource.h>

#include <csignal>

#include "victim.h"

namespace {

volatile sig_atomic_t signals = 0;

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const rlimit limit{4096, 4096};
  victim::need(setrlimit(RLIMIT_FSIZE, &limit), "setrlimit");
  for (int i = 0; i < 20000; ++i) umask(static_cast<mode_t>(i & 0777));
  umask(0022);
  victim::create(dir + "/under-limit", 0666, 0022);

  struct sigaction action {};
  action.sa_handler = [](int) { signals = signals + 1; };
  victim::need(sigaction(SIGXFSZ, &action, nullptr), "sigaction");
  const int fd =
      victim::need(open((dir + "/big").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600), "open");
  const bool refused = pwrite(fd, "x", 1, 8192) == -1 && errno == EFBIG;
  close(fd);
  return refused && signals == 1 ? 0 : 1;
}
