// Every way in which a program without a loader creates something or changes what it made. Linked
// statically; arguments: none, or a program to execute at the end, with its arguments.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

int failures = 0;
void must(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  ++failures;
}

void make(const char* path, int flags, mode_t mode) {
  const int fd = open(path, flags, mode);
  must(fd >= 0, path);
  close(fd);
}

void make_socket() {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "t/socket");
  must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  close(fd);
}

void make_by_how() {
  struct {
    unsigned long long flags, mode, resolve;
  } how{O_CREAT | O_WRONLY, 0640, 0};
  constexpr long kOpenat2 = 437;
  const long fd = syscall(kOpenat2, AT_FDCWD, "t/how", &how, sizeof how);
  must(fd >= 0, "openat2");
  close(static_cast<int>(fd));
}

void make_unnamed() {
  const int fd = open("t", O_TMPFILE | O_RDWR, 0666);
  if (fd < 0) return;  // not every filesystem can
  char name[32];
  std::snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  must(linkat(AT_FDCWD, name, AT_FDCWD, "t/linked-in", AT_SYMLINK_FOLLOW) == 0, "linkat");
  close(fd);
}

}  // namespace

int main(int, char** argv) {
  umask(027);
  must(mkdir("t", 0777) == 0, "mkdir");
  const int directory = open("t", O_RDONLY | O_DIRECTORY);
  make("t/plain", O_CREAT | O_WRONLY, 0666);
  make("t/plain", O_CREAT | O_WRONLY, 0666);  // there already
  make("t/exclusive", O_CREAT | O_EXCL | O_WRONLY, 0600);
  must(close(creat("t/creat", 0644)) == 0, "creat");
  must(close(openat(directory, "below", O_CREAT | O_RDWR, 0777)) == 0, "openat");
  must(mkdirat(directory, "dir", 02775) == 0, "mkdirat");
  must(mkfifo("t/fifo", 0666) == 0, "mkfifo");
  make_by_how();
  make_socket();
  make_unnamed();
  must(symlink("gone", "t/dangling") == 0, "symlink");
  make("t/dangling", O_CREAT | O_WRONLY, 0664);  // makes t/gone
  must(open("t/none/x", O_CREAT | O_WRONLY, 0666) < 0, "a failure");
  must(chmod("t/plain", 0604) == 0, "chmod");
  const int fd = open("t/below", O_RDONLY);
  must(fchmod(fd, 0711) == 0, "fchmod");
  must(rename("t/creat", "t/renamed") == 0, "rename");
  must(link("t/how", "t/second") == 0, "link");
  must(unlink("t/exclusive") == 0, "unlink");
  const pid_t child = fork();
  if (child == 0) {
    umask(0);
    make("t/of-child", O_CREAT | O_WRONLY, 0666);
    _exit(0);
  }
  int status = 0;
  must(waitpid(child, &status, 0) == child && status == 0, "child");
  make("t/of-parent", O_CREAT | O_WRONLY, 0666);
  if (argv[1] == nullptr) return failures;
  execv(argv[1], argv + 1);
  std::perror(argv[1]);
  return 126;
}
