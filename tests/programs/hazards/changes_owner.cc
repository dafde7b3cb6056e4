// Sets set-user-ID and set-group-ID on files, and gives each file to its own owner again: the
// kernel takes both bits away (chown(2)). The owner stays the same, so no rights are needed.
#include <functional>

#include "../victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  const uid_t user = geteuid();
  const gid_t group = getegid();
  struct Way {
    const char* name;
    std::function<int(const char* path, int fd)> change;
  };
  const Way ways[] = {
      {"chown", [&](const char* path, int) { return chown(path, user, group); }},
      {"lchown", [&](const char* path, int) { return lchown(path, user, group); }},
      {"fchown", [&](const char*, int fd) { return fchown(fd, user, group); }},
      {"fchownat", [&](const char* path, int) { return fchownat(AT_FDCWD, path, user, group, 0); }},
      {"fchownat-empty",
       [&](const char*, int fd) { return fchownat(fd, "", user, group, AT_EMPTY_PATH); }},
      {"raw-fchown",
       [&](const char*, int fd) { return static_cast<int>(syscall(SYS_fchown, fd, user, group)); }},
      {"raw-fchownat",
       [&](const char* path, int) {
         return static_cast<int>(syscall(SYS_fchownat, AT_FDCWD, path, user, group, 0));
       }},
  };
  for (const unsigned mode : {06755U, 04755U, 02755U, 02644U, 0755U}) {
    for (const Way& way : ways) {
      char suffix[8];
      std::snprintf(suffix, sizeof suffix, "-%04o", mode);
      const std::string path = dir + "/" + way.name + suffix;
      const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600), "open");
      victim::need(fchmod(fd, mode), "fchmod");
      errno = 4242;  // a call that succeeds leaves it
      victim::need(way.change(path.c_str(), fd), way.name);
      std::printf(R"({"owner_of":"%s","mode":"%04o","errno":%d})"
                  "\n",
                  path.c_str(), victim::mode_of(fd), errno);
      close(fd);
    }
  }
  // A directory keeps its bits; a call that fails takes none.
  const std::string below = dir + "/directory";
  victim::need(mkdir(below.c_str(), 0700), "mkdir");
  victim::need(chmod(below.c_str(), 02755), "chmod");
  victim::need(chown(below.c_str(), user, group), "chown");
  if (chown((dir + "/none").c_str(), user, group) != -1 || errno != ENOENT) victim::die("chown");
}
