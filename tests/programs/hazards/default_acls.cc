// Sets default ACLs on directories that it has created in before: one that leaves the same bits as
// the mask does, and one of 300 entries; then removes them, in each way that there is.
// Usage: default_acls DIR; code 77: the filesystem has no such ACL.
// Ground truth: fstat of each file; the directory has the ACL that was set.
#include <sys/xattr.h>

#include <vector>

#include "victim.h"

namespace {

// acl(5): the kernel's encoding of extended attributes, little endian as this machine is.
struct Entry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id;
};
constexpr std::uint32_t kNobody = UINT32_MAX;

// Linux 6.13; libc has no functions for them.
constexpr long kSetXattrAt = 463;
constexpr long kRemoveXattrAt = 466;
struct ValueArguments {
  alignas(8) const void* value;
  std::uint32_t size;
  std::uint32_t flags;
};

void set_default_acl(const std::string& dir, const std::vector<Entry>& entries,
                     const std::string& way = "path") {
  const std::uint32_t version = 2;
  std::string bytes(reinterpret_cast<const char*>(&version), sizeof version);
  bytes.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
  const char* const name = "system.posix_acl_default";
  if (way == "at") {
    const ValueArguments given{bytes.data(), static_cast<std::uint32_t>(bytes.size()), 0};
    if (syscall(kSetXattrAt, AT_FDCWD, dir.c_str(), 0, name, &given, sizeof given) == 0) return;
    if (errno != ENOSYS) victim::die("setxattrat");
  }
  const int result = setxattr(dir.c_str(), name, bytes.data(), bytes.size(), 0);
  if (result != 0 && errno == EOPNOTSUPP) std::_Exit(77);
  victim::need(result, "setxattr");
}

void remove_default_acl(const std::string& dir, const std::string& way) {
  const char* const name = "system.posix_acl_default";
  if (way == "path") victim::need(removexattr(dir.c_str(), name), "removexattr");
  if (way == "link") victim::need(lremovexattr(dir.c_str(), name), "lremovexattr");
  if (way == "raw") victim::need(syscall(SYS_removexattr, dir.c_str(), name), "syscall");
  if (way == "at" && syscall(kRemoveXattrAt, AT_FDCWD, dir.c_str(), 0, name, 0L, 0L) != 0) {
    if (errno != ENOSYS) victim::die("removexattrat");
    victim::need(removexattr(dir.c_str(), name), "removexattr");
  }
  if (way == "descriptor") {
    const int fd = victim::need(open(dir.c_str(), O_RDONLY | O_DIRECTORY), "open");
    victim::need(fremovexattr(fd, name), "fremovexattr");
    close(fd);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::create(dir + "/before", 0666, 0022);
  set_default_acl(dir, {{1, 7, kNobody}, {4, 5, kNobody}, {32, 5, kNobody}});
  victim::create(dir + "/same", 0666);
  std::vector<Entry> many = {{1, 7, kNobody}};
  for (std::uint32_t user = 1000; user < 1300; ++user) many.push_back({2, 6, user});
  for (const Entry& last : {Entry{4, 7, kNobody}, Entry{16, 7, kNobody}, Entry{32, 0, kNobody}})
    many.push_back(last);
  set_default_acl(dir, many);
  victim::create(dir + "/large", 0666);
  // The bits that the mask leaves are those of the ACL: only the directory tells which decided.
  const std::vector<Entry> same = {{1, 7, kNobody}, {4, 5, kNobody}, {32, 5, kNobody}};
  for (const std::string way : {"path", "link", "descriptor", "raw", "at"}) {
    set_default_acl(dir, same, way);
    victim::create(dir + "/under-" + way, 0666);
    remove_default_acl(dir, way);
    victim::create(dir + "/after-" + way, 0666, 0022);
  }
  return 0;
}
