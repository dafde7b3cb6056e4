#include "reporter/symbolize/elf_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace umaskaudit::symbolize {
namespace {

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};

Error cannot_use(const std::string& path, std::string why) {
  return Error{"cannot use module " + path, std::move(why), "", ExitCode::unreadable};
}

int open_raw(const std::string& root, const std::string& path, int flags) {
  flags |= O_CLOEXEC;
  if (root.empty()) return open(path.c_str(), flags);
  const Descriptor root_fd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd) return -1;
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  // An absolute link below a sysroot means a file of that system, not of this host.
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, root_fd.get(), path.c_str(), &how, sizeof how);
  // Before Linux 5.6, and where a container's filter does not know the call.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM))
    return open((root + "/" + path).c_str(), flags);
  return static_cast<int>(fd);
}

bool same_regular_file(int fd, const struct stat& expected) {
  struct stat now {};
  return fstat(fd, &now) == 0 && S_ISREG(now.st_mode) && now.st_dev == expected.st_dev &&
         now.st_ino == expected.st_ino;
}

void read_sections(Elf* elf, ElfFile& file) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr) continue;
    const std::string_view view(name);
    if (view == ".debug_info" || view == ".zdebug_info") file.debug_info = true;
  }
}

}  // namespace

Result<ElfFile> open_elf(const std::string& root, const std::string& path, ElfKind kind) {
  // Opening a device may have effects (a watchdog, a tape), and opening a FIFO may block: so it is
  // examined first, through O_PATH, which has no effect on either.
  const Descriptor look(open_raw(root, path, O_PATH));
  if (!look) return cannot_use(path, std::strerror(errno));
  struct stat expected {};
  if (fstat(look.get(), &expected) != 0) return cannot_use(path, std::strerror(errno));
  if (!S_ISREG(expected.st_mode)) return cannot_use(path, "not a regular file");
  Descriptor fd(open_raw(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!fd) return cannot_use(path, std::strerror(errno));
  if (!same_regular_file(fd.get(), expected))
    return cannot_use(path, "replaced while being opened");
  return inspect_elf(std::move(fd), path, kind);
}

Result<ElfFile> inspect_elf(Descriptor fd, const std::string& path, ElfKind kind) {
  // libelf would also unpack archives, and libdwfl compressed kernels: only plain ELF is accepted.
  char magic[SELFMAG] = {};
  if (pread(fd.get(), magic, sizeof magic, 0) != SELFMAG ||
      std::memcmp(magic, ELFMAG, SELFMAG) != 0) {
    return cannot_use(path, "not an ELF file");
  }
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, ElfEnd> elf(elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr));
  GElf_Ehdr header;
  if (elf == nullptr || gelf_getehdr(elf.get(), &header) == nullptr) {
    return cannot_use(path, "damaged ELF file");
  }
  const bool loadable = header.e_type == ET_EXEC || header.e_type == ET_DYN;
  if (!loadable && (kind == ElfKind::loadable || header.e_type != ET_REL)) {
    return cannot_use(path, "not an ELF program or shared library");
  }
  ElfFile file;
  file.path = path;
  const void* id = nullptr;
  const ssize_t id_size = dwelf_elf_gnu_build_id(elf.get(), &id);
  if (id_size > 0) {
    file.build_id =
        to_hex(static_cast<const unsigned char*>(id), static_cast<std::size_t>(id_size));
  }
  GElf_Word crc = 0;
  const char* link = dwelf_elf_gnu_debuglink(elf.get(), &crc);
  if (link != nullptr) {
    file.debuglink = link;
    file.debuglink_crc = crc;
  }
  read_sections(elf.get(), file);
  file.fd = std::move(fd);
  return file;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool harmless_to_open(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

bool file_crc32(int fd, std::uint64_t most, std::uint32_t& crc) {
  std::array<unsigned char, 65536> buffer;
  uLong value = crc32(0, nullptr, 0);
  off_t at = 0;
  for (;;) {
    const ssize_t got = pread(fd, buffer.data(), buffer.size(), at);
    if (got < 0) return false;
    if (got == 0) break;
    value = crc32(value, buffer.data(), static_cast<uInt>(got));
    at += got;
    if (static_cast<std::uint64_t>(at) > most) return false;
  }
  crc = static_cast<std::uint32_t>(value);
  return true;
}

std::uint64_t file_size(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace umaskaudit::symbolize
