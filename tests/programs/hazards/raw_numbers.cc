// Calls by number what has no row of its own in libc's terms: fchmodat(2) without flags, a thread's
// name by prctl(2), openat2(2) with a root of its own, chroot(2). Ground truth: lstat.
#include <linux/openat2.h>
#include <sys/prctl.h>

#include "victim.h"

namespace {

void create_in_root(int root, const std::string& dir, const char* path, const std::string& real) {
  open_how how{};
  how.flags = O_CREAT | O_WRONLY;
  how.mode = 0666;
  how.resolve = RESOLVE_IN_ROOT;
  const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
  if (fd < 0) victim::die("openat2");
  close(static_cast<int>(fd));
  const std::string name = dir + "/" + real;
  victim::print({name, victim::mode_of(name), nullptr, nullptr, victim::tid(), 0666, 0027});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0027);
  const std::string path = dir + "/changed";
  victim::create(path, 0666, 0027);
  victim::need(syscall(SYS_fchmodat, AT_FDCWD, path.c_str(), 0604), "fchmodat");
  std::printf(R"({"changed":"%s","mode":"%04o"})"
              "\n",
              path.c_str(), victim::mode_of(path));

  victim::need(syscall(SYS_prctl, PR_SET_NAME, "renamed-raw", 0, 0, 0), "prctl");
  const std::string by_thread = dir + "/by-renamed";
  victim::need(mkdir(by_thread.c_str(), 0777), "mkdir");
  victim::print({by_thread, victim::mode_of(by_thread), "mkdir", "renamed-raw"});

  victim::need(mkdir((dir + "/root").c_str(), 0777), "mkdir");
  victim::need(mkdir((dir + "/root/sub").c_str(), 0777), "mkdir");
  victim::need(symlink("/sub", (dir + "/root/link").c_str()), "symlink");
  const int root = victim::need(open((dir + "/root").c_str(), O_PATH | O_DIRECTORY), "open");
  create_in_root(root, dir, "/absolute", "root/absolute");
  create_in_root(root, dir, "../../above", "root/above");
  create_in_root(root, dir, "link/linked", "root/sub/linked");

  if (geteuid() == 0) {
    victim::need(syscall(SYS_chroot, (dir + "/root").c_str()), "chroot");
    victim::need(mkdir("/inside", 0777), "mkdir");
    victim::print({dir + "/root/inside", victim::mode_of(std::string("/inside")), "mkdir"});
  }
}
