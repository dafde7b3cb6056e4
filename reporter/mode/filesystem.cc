// A table of filesystems by statfs(2) f_type: the name, and whether it sets modes on its own.
// Numbers: linux/magic.h and, for those that are not there, their own sources.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include "reporter/mode/calculus.h"

namespace umaskaudit {
namespace {

// Whether a filesystem may change the mode.
enum class Decides : bool {
  no,   // stores the mode that the VFS passes
  yes,  // mount options, a server, a daemon, or the kernel itself decide
};

struct Filesystem {
  std::uint32_t type;
  Decides decides;
  const char* name;
};

constexpr Filesystem kFilesystems[] = {
    // On disk or in memory, with POSIX modes.
    {0x0000ef53, Decides::no, "ext4"},  // ext2 and ext3 share the number
    {0x58465342, Decides::no, "xfs"},
    {0x9123683e, Decides::no, "btrfs"},
    {0xf2f52010, Decides::no, "f2fs"},
    {0xca451a4e, Decides::no, "bcachefs"},
    {0x2fc12fc1, Decides::no, "zfs"},
    {0x01021994, Decides::no, "tmpfs"},
    {0x858458f6, Decides::no, "ramfs"},
    {0x958458f6, Decides::no, "hugetlbfs"},
    {0x19800202, Decides::no, "mqueue"},
    {0x52654973, Decides::no, "reiserfs"},
    {0x3153464a, Decides::no, "jfs"},
    {0x000072b6, Decides::no, "jffs2"},
    {0x24051905, Decides::no, "ubifs"},
    {0x00003434, Decides::no, "nilfs2"},
    {0x7461636f, Decides::no, "ocfs2"},
    {0x01161970, Decides::no, "gfs2"},
    {0x0000f15f, Decides::no, "ecryptfs"},
    {0x00011954, Decides::no, "ufs"},
    {0x0000137f, Decides::no, "minix"},
    {0x0000138f, Decides::no, "minix"},
    {0x00002468, Decides::no, "minix"},
    {0x00002478, Decides::no, "minix"},
    {0x00004d5a, Decides::no, "minix"},
    {0x0000482b, Decides::no, "hfsplus"},
    {0x15013346, Decides::no, "udf"},
    // Read-only: nothing is created there, but existing objects are opened.
    {0x73717368, Decides::no, "squashfs"},
    {0xe0f5e1e2, Decides::no, "erofs"},
    {0x28cd3d45, Decides::no, "cramfs"},
    {0x00009660, Decides::no, "iso9660"},
    // Without Unix modes on the disk: the mount options umask=, fmask=, dmask= decide.
    {0x00004d44, Decides::yes, "vfat"},
    {0x2011bab0, Decides::yes, "exfat"},
    {0x5346544e, Decides::yes, "ntfs"},
    {0x7366746e, Decides::yes, "ntfs3"},
    {0x00004244, Decides::yes, "hfs"},
    {0xf995e849, Decides::yes, "hpfs"},
    {0x0000adff, Decides::yes, "affs"},
    {0x0000adf5, Decides::yes, "adfs"},
    // Another program, host or layer decides.
    {0x65735546, Decides::yes, "fuse"},  // virtiofs too
    {0x00006969, Decides::yes, "nfs"},
    {0xff534d42, Decides::yes, "cifs"},
    {0xfe534d42, Decides::yes, "smb2"},
    {0x0000517b, Decides::yes, "smb"},
    {0x01021997, Decides::yes, "9p"},
    {0x794c7630, Decides::yes, "overlay"},
    {0x00c36400, Decides::yes, "ceph"},
    {0x5346414f, Decides::yes, "afs"},
    {0x6b414653, Decides::yes, "kafs"},
    {0x73757245, Decides::yes, "coda"},
    {0x0000564c, Decides::yes, "ncpfs"},
    {0x00c0ffee, Decides::yes, "hostfs"},
    {0x786f4256, Decides::yes, "vboxsf"},
    {0xbacbacbc, Decides::yes, "vmhgfs"},
    {0x0bd00bd0, Decides::yes, "lustre"},
    {0x47504653, Decides::yes, "gpfs"},
    {0x19830326, Decides::yes, "beegfs"},
    {0xaad7aaea, Decides::yes, "panfs"},
    // Interfaces of the kernel: most modes there are fixed.
    {0x00009fa0, Decides::yes, "proc"},
    {0x62656572, Decides::yes, "sysfs"},
    {0x64626720, Decides::yes, "debugfs"},
    {0x74726163, Decides::yes, "tracefs"},
    {0x62656570, Decides::yes, "configfs"},
    {0x73636673, Decides::yes, "securityfs"},
    {0xf97cff8c, Decides::yes, "selinuxfs"},
    {0x0027e0eb, Decides::yes, "cgroup"},
    {0x63677270, Decides::yes, "cgroup2"},
    {0x07655821, Decides::yes, "resctrl"},
    {0xcafe4a11, Decides::yes, "bpf"},
    {0x00001cd1, Decides::yes, "devpts"},
    {0xde5e81e4, Decides::yes, "efivarfs"},
    {0x6165676c, Decides::yes, "pstore"},
    {0x00000187, Decides::yes, "autofs"},
    {0x42494e4d, Decides::yes, "binfmt_misc"},
    {0x6c6f6f70, Decides::yes, "binder"},
    {0x5a4f4653, Decides::yes, "zonefs"},
};

const Filesystem* find(std::uint32_t fs_type) {
  const auto* found = std::find_if(std::begin(kFilesystems), std::end(kFilesystems),
                                   [&](const Filesystem& row) { return row.type == fs_type; });
  return found == std::end(kFilesystems) ? nullptr : found;
}

}  // namespace

std::string filesystem_name(std::uint32_t fs_type) {
  if (const Filesystem* row = find(fs_type)) return row->name;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", fs_type);
  return text.data();
}

bool filesystem_decides(std::uint32_t fs_type) {
  const Filesystem* row = find(fs_type);
  if (row == nullptr) return fs_type != 0;
  return row->decides == Decides::yes;
}

}  // namespace umaskaudit
