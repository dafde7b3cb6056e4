// Creates by relative paths while the working directory moves where no wrapper sees it: nftw(3) and
// daemon(3) change it inside libc, and a rename gives it another name. Usage: moving_directory DIR
// Ground truth: realpath(3) and stat of each object, as soon as it is made.
#include <ftw.h>
#include <sys/wait.h>

#include "victim.h"

namespace {

void make_here(const char* name) {
  victim::need(mkdir(name, 0777), name);
  char* path = realpath(name, nullptr);
  if (path == nullptr) victim::die("realpath");
  victim::print({path, victim::mode_of(path), "mkdir", nullptr, victim::tid(), 0777, 0022});
  std::fflush(stdout);
  std::free(path);
}

int visit(const char*, const struct stat*, int type, struct FTW*) {
  if (type == FTW_F) make_here("by-nftw");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::need(mkdir((dir + "/old").c_str(), 0777), "mkdir");
  victim::need(chdir((dir + "/old").c_str()), "chdir");
  make_here("sub");
  victim::create(dir + "/old/sub/file", 0666, 0022);
  victim::need(nftw("sub", visit, 8, FTW_CHDIR), "nftw");
  make_here("after-nftw");
  victim::need(rename((dir + "/old").c_str(), (dir + "/new").c_str()), "rename");
  make_here("after-rename");

  int done[2];
  victim::need(pipe(done), "pipe");
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    victim::need(daemon(0, 1), "daemon");
    make_here((dir.substr(1) + "/by-daemon").c_str());
    _exit(0);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  close(done[1]);
  char byte = 0;
  return read(done[0], &byte, 1) == 0 && status == 0 ? 0 : 1;
}
