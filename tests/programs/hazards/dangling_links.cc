// Creates through symbolic links whose targets are not there: the object is the target.
// Usage: dangling_links DIR
// Ground truth: fstat of what was made, and realpath(3) of the link, once with the target's name.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <climits>

#include "victim.h"

namespace {

std::string real(const std::string& path) {
  char name[PATH_MAX];
  if (realpath(path.c_str(), name) == nullptr) victim::die(path.c_str());
  return name;
}

void tell(const std::string& link, int fd, const char* call, int mask) {
  victim::print({real(link), victim::mode_of(fd), call, nullptr, victim::tid(), 0666, mask});
}

// One place for all opens: what it came to before must not matter.
[[gnu::noinline]] void open_link(const std::string& link, int flags = O_CREAT | O_WRONLY) {
  const int fd = victim::need(open(link.c_str(), flags, 0666), link.c_str());
  tell(link, fd, "open", 0027);
  close(fd);
}

void make_link(const std::string& target, const std::string& link) {
  victim::need(symlink(target.c_str(), link.c_str()), link.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0027);
  victim::need(mkdir((dir + "/there").c_str(), 0777), "mkdir");
  victim::need(mkdir((dir + "/here").c_str(), 0777), "mkdir");
  make_link(dir + "/there/absolute", dir + "/here/absolute");
  make_link("../there/relative", dir + "/here/relative");
  make_link("../here/relative2", dir + "/there/chain2");
  make_link("../there/chain2", dir + "/here/chain1");
  make_link(dir + "/there/stream", dir + "/here/stream");
  open_link(dir + "/here/absolute");
  open_link(dir + "/here/relative");
  open_link(dir + "/here/chain1");
  // Warm for new files, then a link again.
  for (int i = 0; i < 4; ++i) {
    make_link("../there/warm" + std::to_string(i), dir + "/here/warm" + std::to_string(i));
    victim::create(dir + "/here/plain" + std::to_string(i), 0666, 0027);
  }
  for (int i = 0; i < 4; ++i) open_link(dir + "/here/warm" + std::to_string(i));
  FILE* stream = std::fopen((dir + "/here/stream").c_str(), "w");
  if (stream == nullptr) victim::die("fopen");
  tell(dir + "/here/stream", fileno(stream), "fopen", 0027);
  std::fclose(stream);
  // From a working directory and from a directory's descriptor.
  victim::need(chdir((dir + "/here").c_str()), "chdir");
  make_link("../there/by_name", "by_name");
  open_link("by_name");
  make_link("../there/by_descriptor", "by_descriptor");
  const int here = victim::need(open(".", O_RDONLY | O_DIRECTORY), "open");
  const int fd = victim::need(openat(here, "by_descriptor", O_CREAT | O_WRONLY, 0666), "openat");
  tell("by_descriptor", fd, "openat", 0027);
  close(fd);
  close(here);
  // These do not follow: the name is taken.
  make_link("../there/socket", "socket");
  sockaddr_un address = {AF_UNIX, "socket"};
  const int socket_fd = victim::need(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  if (bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ||
      mkdir("socket", 0777) == 0 || mkfifo("socket", 0666) == 0 ||
      open("socket", O_CREAT | O_EXCL | O_WRONLY, 0666) >= 0)
    victim::die("a link was followed");
  return 0;
}
