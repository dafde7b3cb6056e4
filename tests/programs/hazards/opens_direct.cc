// Opens with O_DIRECT where the filesystem has no such thing: the call fails, the file is there.
// Usage: opens_direct DIR [OTHER]; OTHER: a directory of such a filesystem (ramfs, say).
// Ground truth: stat(2) behind each failure.
#include "victim.h"

namespace {

// One place: first where it succeeds, then where it fails.
[[gnu::noinline]] int open_one(const std::string& path, int flags) {
  return open(path.c_str(), flags | O_CREAT | O_WRONLY, 0666);
}

void open_direct(const std::string& path, int flags) {
  const int fd = open_one(path, flags | O_DIRECT);
  if (fd >= 0) {
    close(fd);
    unlink(path.c_str());
    return;
  }
  if (access(path.c_str(), F_OK) == 0) victim::print({path, victim::mode_of(path), "open"});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const std::string other = argc > 2 ? argv[2] : dir;
  umask(0022);
  open_direct(other + "/first", 0);
  open_direct(other + "/exclusive", O_EXCL);
  for (int i = 0; i < 4; ++i) close(open_one(dir + "/new" + std::to_string(i), 0));
  open_direct(other + "/creates", 0);
  for (int i = 0; i < 4; ++i) close(open_one(dir + "/new0", 0));
  open_direct(other + "/opens", 0);
  return 0;
}
