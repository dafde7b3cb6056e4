// gitlab-mcp-server, issue 415; docker/go-connections, pull 158; snapd, pull 16917: umask 0177
// around bind(2), and another thread's temporary directories lose their search bit. Usage:
// bug_bind_socket DIR [COUNT]
#include <sys/socket.h>
#include <sys/un.h>

#include "bug_victim.h"

namespace {

__attribute__((noinline)) void bind_unix_socket(bug::Ledger& ledger, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  const int fd = victim::need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const mode_t old = umask(0177);
  victim::need(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), path.c_str());
  umask(old);
  ledger.add(path, victim::mode_of(path), 0600);
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  // sun_path is short: names are relative to the directory.
  victim::need(chdir(dir.c_str()), dir.c_str());
  umask(022);
  bug::Ledger ledger;
  int made = 0;
  bug::race(
      "test-runner",
      [&] { bug::create_directories(ledger, ".", "TestB", bug::count_of(argc, argv), 0700, 022); },
      [&] { bind_unix_socket(ledger, "./s" + std::to_string(made++)); });
  ledger.print();
  return 0;
}
