// Calls whose file has a name that only libc knows: lckpwdf, sethostid, _mcleanup (gmon.out).
// Usage: implied_names DIR. Root: the calls are made below DIR, by chroot(2); else it does nothing.
// Ground truth: lstat of each file, under several masks; each is removed again but the last.
#include <shadow.h>
#include <sys/gmon.h>

#include "victim.h"

extern "C" void _mcleanup();

namespace {

char some_code[4096];  // gmon counts calls in a range of addresses

int lock_passwords() {
  const int result = lckpwdf();
  ulckpwdf();
  return result;
}
int set_host() { return sethostid(0x01020304); }
int write_profile() {
  const auto start = reinterpret_cast<std::uintptr_t>(some_code);
  monstartup(start, start + sizeof some_code);
  _mcleanup();
  return 0;
}

struct Call {
  const char* name;
  const char* path;
  int requested;
  int (*make)();
};
const Call kCalls[] = {
    {"lckpwdf", "/etc/.pwd.lock", 0600, lock_passwords},
    {"sethostid", "/etc/hostid", 0644, set_host},
    {"_mcleanup", "/gmon.out", 0666, write_profile},
};
constexpr int kMasks[] = {0022, 0077, 0000, 0137, 0702};

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (geteuid() != 0) return 0;
  victim::need(chroot(dir.c_str()), "chroot");
  victim::need(chdir("/"), "chdir");
  victim::need(mkdir("/etc", 0755), "mkdir");
  for (const Call& call : kCalls) {
    for (const int mask : kMasks) {
      unlink(call.path);
      umask(static_cast<mode_t>(mask));
      victim::need(call.make(), call.name);
      victim::print({dir + call.path, victim::mode_of(std::string(call.path)), call.name, nullptr,
                     victim::tid(), call.requested, mask});
    }
  }
  return 0;
}
