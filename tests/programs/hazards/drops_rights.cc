// Shuts itself in after the start: chroot, another user, no groups; then goes on creating.
// Ground truth: fstat; paths as seen from outside the new root. Needs root. Usage: drops_rights DIR
// A shim that has to open something later cannot any more.
#include <grp.h>

#include "victim.h"

namespace {

constexpr uid_t kNobody = 65534;

void create_inside(const std::string& dir, const char* name, int mask) {
  umask(static_cast<mode_t>(mask));
  const std::string path = std::string("/") + name;
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), name);
  victim::print({dir + path, victim::mode_of(fd), "open", nullptr, victim::tid(), 0666, mask});
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::create(dir + "/before", 0666, 0022);
  victim::need(chown(dir.c_str(), kNobody, kNobody), "chown");
  victim::need(chroot(dir.c_str()), "chroot");
  victim::need(chdir("/"), "chdir");
  create_inside(dir, "in-chroot", 0026);
  victim::need(setgroups(0, nullptr), "setgroups");
  victim::need(setgid(kNobody), "setgid");
  victim::need(setuid(kNobody), "setuid");
  create_inside(dir, "as-nobody", 0027);
  return 0;
}
