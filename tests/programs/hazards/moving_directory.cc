// Creates by relative paths while the directory that they start from moves: nftw(3) and daemon(3)
// change the working directory inside libc; it, or the directory of a descriptor, is renamed, by us
// or by another process; and a descriptor comes to mean another one. Usage: moving_directory DIR
// Ground truth: realpath(3) and stat of each object, as soon as it is made.
#include <fcntl.h>
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

void make_in(int fd, const char* name) {
  victim::need(mkdirat(fd, name, 0777), name);
  char* path = realpath(("/proc/self/fd/" + std::to_string(fd) + "/" + name).c_str(), nullptr);
  if (path == nullptr) victim::die("realpath");
  victim::print({path, victim::mode_of(path), "mkdirat", nullptr, victim::tid(), 0777, 0022});
  std::fflush(stdout);
  std::free(path);
}

void rename_in_child(const std::string& from, const std::string& to) {
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) _exit(rename(from.c_str(), to.c_str()) == 0 ? 0 : 1);
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("rename");
}

// Twice each: what is remembered must hold, and must be forgotten in time.
void make_by_descriptors(const std::string& dir) {
  for (const char* name : {"/outer", "/outer/inner", "/other"}) {
    victim::need(mkdir((dir + name).c_str(), 0777), name);
  }
  const int fd = victim::need(open((dir + "/outer/inner").c_str(), O_DIRECTORY), "open");
  make_in(fd, "a");
  make_in(fd, "b");
  victim::need(rename((dir + "/outer/inner").c_str(), (dir + "/outer/moved").c_str()), "rename");
  make_in(fd, "c");
  make_in(fd, "d");
  victim::need(rename((dir + "/outer").c_str(), (dir + "/above").c_str()), "rename");
  make_in(fd, "e");
  make_in(fd, "f");
  const int other = victim::need(open((dir + "/other").c_str(), O_DIRECTORY), "open");
  victim::need(dup2(other, fd), "dup2");
  make_in(fd, "g");
  make_in(fd, "h");
  rename_in_child(dir + "/other", dir + "/renamed");
  make_in(fd, "i");
  make_in(fd, "j");
  // Without a moment in between, there and back.
  const std::string places[] = {dir + "/renamed", dir + "/again"};
  constexpr int kMoves = 100;
  std::string names[kMoves];
  for (int i = 0; i < kMoves; ++i) names[i] = "k" + std::to_string(i);
  for (int i = 0; i < kMoves; ++i) {
    if (mkdirat(fd, names[i].c_str(), 0777) != 0 ||
        rename(places[i % 2].c_str(), places[1 - i % 2].c_str()) != 0) {
      victim::die("mkdirat");
    }
  }
  for (int i = 0; i < kMoves; ++i) {
    const unsigned mode = victim::mode_of(places[0] + "/" + names[i]);
    victim::print({places[i % 2] + "/" + names[i], mode, "mkdirat", nullptr, victim::tid(), 0777});
  }
  close(other);
  close(fd);
}

int visit(const char*, const struct stat*, int type, struct FTW*) {
  if (type == FTW_F) make_here("by-nftw");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  make_by_descriptors(dir);
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
