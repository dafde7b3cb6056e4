// Goes every way to create that there is, under several masks, in a thread with a name of its own.
// Usage: routes DIR; routes --list. Ground truth, one JSON line a call, in order: mode, kind and
// inode by fstat and statfs, mask and thread by /proc, and errno of the second call on each name.
// Files stay; objects of POSIX IPC are removed.
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "route.h"

namespace {

using route::Attempt;
using route::Route;

constexpr mode_t kMasks[] = {0022, 0077, 0000, 0137, 0702};
constexpr long kQueueFilesystem = 0x19800202;  // MQUEUE_MAGIC of the kernel

std::string field_of_status(const std::string& field) {
  std::ifstream status("/proc/thread-self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(field + ":\t", 0) == 0) return line.substr(field.size() + 2);
  }
  victim::die(field.c_str());
}

const char* kind_of(const struct stat& status, const std::string& lies_at, int fd) {
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
      return "dir";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "chardev";
    case S_IFBLK:
      return "blockdev";
    default:
      break;
  }
  struct statfs filesystem {};
  if (fd >= 0 && fstatfs(fd, &filesystem) == 0 && filesystem.f_type == kQueueFilesystem) {
    return "mqueue";
  }
  if (lies_at.rfind("/dev/shm/sem.umaskaudit-route", 0) == 0) return "sem";
  if (lies_at.rfind("/dev/shm/umaskaudit-route", 0) == 0) return "shm";
  return lies_at.empty() || lies_at.find(" (deleted)") != std::string::npos ? "tmpfile" : "file";
}

std::string target_of(int fd) {
  char target[4096];
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  return {target, static_cast<std::size_t>(victim::need(length, "readlink"))};
}

void tell(const Route& route, const Attempt& attempt, bool made, int error, bool fresh) {
  std::string name = attempt.recorded.empty() ? attempt.path : attempt.recorded;
  if (attempt.nameless) name.clear();
  std::printf(R"({"route":"%s","call":"%s","path":"%s","mask":"%s","thread":"%s","tid":%d,)"
              R"("requested":"%04o","created":%s,"errno":%d)",
              route.name.c_str(), route.call, name.c_str(), field_of_status("Umask").c_str(),
              field_of_status("Name").c_str(), attempt.child != 0 ? attempt.child : victim::tid(),
              attempt.requested, made && fresh ? "true" : "false", made ? 0 : error);
  if (made) {
    struct stat status {};
    const std::string& look_at = attempt.look_at.empty() ? attempt.path : attempt.look_at;
    const bool by_fd = attempt.fd >= 0;
    victim::need(by_fd ? fstat(attempt.fd, &status) : lstat(look_at.c_str(), &status), "stat");
    std::printf(R"(,"kind":"%s","final":"%04o","ino":%lu)",
                kind_of(status, by_fd ? target_of(attempt.fd) : look_at, attempt.fd),
                status.st_mode & 07777, static_cast<unsigned long>(status.st_ino));
  }
  std::puts("}");
}

void forget_ipc(const std::string& name) {
  const std::string slashed = name[0] == '/' ? name : "/" + name;
  mq_unlink(slashed.c_str());
  shm_unlink(slashed.c_str());
  sem_unlink(slashed.c_str());
}

void go(const Route& route, const std::string& dir, int dirfd, unsigned number, unsigned round) {
  Attempt first;
  first.relative = std::to_string(number) + "-" + std::to_string(round);
  first.path = dir + "/" + first.relative;
  first.dirfd = dirfd;
  first.round = round;
  for (const bool fresh : {true, false}) {
    if (!fresh && route.once) return;
    Attempt attempt = first;
    errno = 0;
    const bool made = route.go(attempt);
    const int error = errno;
    if (fresh && !made) victim::die(route.name.c_str());
    if (!attempt.silent) tell(route, attempt, made, error, fresh);
    if (attempt.fd >= 0) close(attempt.fd);
    if (!fresh && !attempt.recorded.empty()) forget_ipc(attempt.recorded);
  }
}

std::vector<Route> all_routes() {
  std::vector<Route> routes = route::of_rows();
  for (const auto& more : {route::of_numbers(), route::of_others()}) {
    routes.insert(routes.end(), more.begin(), more.end());
  }
  return routes;
}

void go_all(const std::string& dir) {
  const int dirfd = victim::need(open(dir.c_str(), O_PATH | O_DIRECTORY), dir.c_str());
  const std::vector<Route> routes = all_routes();
  for (unsigned number = 0; number < routes.size(); ++number) {
    // The kernel keeps 15 bytes.
    victim::name_thread((std::to_string(number) + routes[number].name).substr(0, 15).c_str());
    for (unsigned round = 0; round < std::size(kMasks); ++round) {
      if (round % 2 == 0) {
        umask(kMasks[round]);
      } else {
        syscall(SYS_umask, kMasks[round]);
      }
      go(routes[number], dir, dirfd, number, round);
    }
  }
  close(dirfd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (dir == "--list") {
    for (const Route& route : all_routes()) std::puts(route.name.c_str());
    return 0;
  }
  victim::need(chdir(dir.c_str()), "chdir");
  std::thread(go_all, dir).join();
  return 0;
}
