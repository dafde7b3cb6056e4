// Keys and sockets that are closed after they were created: umask given a mode, a world-readable
// key, chmod afterwards, a fixed name in a shared directory. One thread. Usage: bug_chmod_later DIR
#include "bug_victim.h"

namespace {

__attribute__((noinline)) void write_key(const std::string& path) {
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), "open");
  std::printf("{\"path\":\"%s\",\"mode\":\"%04o\"", path.c_str(), victim::mode_of(fd));
  victim::need(fchmod(fd, 0600), "fchmod");
  std::printf(",\"later\":\"%04o\"}\n", victim::mode_of(fd));
  close(fd);
}

__attribute__((noinline)) void open_log(const std::string& path) {
  close(victim::need(open(path.c_str(), O_CREAT | O_WRONLY, 0666), "open"));
  std::printf("{\"path\":\"%s\",\"mode\":\"%04o\"}\n", path.c_str(), victim::mode_of(path));
}

__attribute__((noinline)) void wanted_0755() { umask(0755); }

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  write_key(dir + "/server.key");
  const std::string shared = dir + "/shared";
  victim::need(mkdir(shared.c_str(), 0777), shared.c_str());
  victim::need(chmod(shared.c_str(), 01777), shared.c_str());
  open_log(shared + "/app.log");
  wanted_0755();
  return 0;
}
