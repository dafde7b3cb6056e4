// Uses stat(2), statfs(2) and getxattr(2); see parent_facts.h.
#include "reporter/inspect/parent_facts.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace umaskaudit::inspect {
namespace {

// XATTR_SIZE_MAX of the kernel: no attribute is longer.
constexpr std::size_t kLongestAttribute = 65536;

Error cannot_read(const std::string& directory, const char* why) {
  return {"cannot read directory '" + directory + "'", why, "", ExitCode::usage};
}

}  // namespace

Result<ParentFacts> read_parent(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    return cannot_read(directory, std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode)) return cannot_read(directory, std::strerror(ENOTDIR));
  ParentFacts facts;
  facts.mode = status.st_mode & 07777;
  facts.gid = status.st_gid;
  struct statfs filesystem {};
  if (::statfs(directory.c_str(), &filesystem) == 0) {
    facts.fs_type = static_cast<std::uint32_t>(filesystem.f_type);
  }
  std::vector<char> acl(kLongestAttribute);
  const ssize_t length =
      ::getxattr(directory.c_str(), "system.posix_acl_default", acl.data(), acl.size());
  // ENODATA: no ACL. EOPNOTSUPP: a filesystem without ACLs.
  if (length < 0 && errno != ENODATA && errno != EOPNOTSUPP) {
    return cannot_read(directory, std::strerror(errno));
  }
  if (length > 0) facts.acl = parse_acl_xattr(acl.data(), static_cast<std::size_t>(length));
  return facts;
}

bool foreign_group(const ParentFacts& parent) {
  if (::geteuid() == 0 || ::getegid() == parent.gid) return false;
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(count > 0 ? static_cast<std::size_t>(count) : 0);
  const int got = ::getgroups(static_cast<int>(groups.size()), groups.data());
  const auto end = groups.begin() + std::max(got, 0);
  return std::find(groups.begin(), end, parent.gid) == end;
}

}  // namespace umaskaudit::inspect
