// Passes pointers that the kernel refuses to calls by function and by number; streams in a set of
// characters; flags that go badly together. Ground truth: result and errno of each, on stdout.
// Usage: bad_pointers DIR [filters]: filters too, before which a shim may look around.
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "victim.h"

namespace {

constexpr std::size_t kPage = 4096;

void show(const std::string& what, long result) {
  const int error = result < 0 ? errno : 0;
  std::printf("%s %d %d\n", what.c_str(), result < 0 ? -1 : 0, error);
}

void show_open(const std::string& what, int fd) {
  show(what, fd);
  if (fd >= 0) close(fd);
}

// The last `size` bytes of a page that nothing follows; filled with `byte`.
char* end_of_page(std::size_t size, char byte) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED) victim::die("mmap");
  victim::need(munmap(pages + kPage, kPage), "munmap");
  std::memset(pages + kPage - size, byte, size);
  return pages + kPage - size;
}

void try_names(const std::string& label, const char* bad) {
  show(label + " rename from", rename(bad, "to"));
  show(label + " rename to", rename("given", bad));
  show(label + " renameat", renameat(AT_FDCWD, bad, AT_FDCWD, bad));
  show(label + " renameat2", renameat2(AT_FDCWD, "given", AT_FDCWD, bad, RENAME_NOREPLACE));
  show(label + " link from", link(bad, "to"));
  show(label + " link to", link("given", bad));
  show(label + " linkat", linkat(AT_FDCWD, "given", AT_FDCWD, bad, AT_SYMLINK_FOLLOW));
  show(label + " symlink to", symlink(bad, "to"));
  show(label + " symlink", symlink("given", bad));
  show(label + " symlinkat", symlinkat("given", AT_FDCWD, bad));
  show(label + " unlink", unlink(bad));
  show(label + " unlinkat", unlinkat(AT_FDCWD, bad, AT_REMOVEDIR));
  show(label + " rmdir", rmdir(bad));
  show(label + " remove", remove(bad));
  show(label + " chmod", chmod(bad, 0600));
  show(label + " fchmodat", fchmodat(AT_FDCWD, bad, 0600, 0));
  show(label + " fchmodat link", fchmodat(AT_FDCWD, bad, 0600, AT_SYMLINK_NOFOLLOW));
  show(label + " setxattr", setxattr(bad, "user.x", "y", 1, 0));
  show(label + " setxattr name", setxattr("given", bad, "y", 1, 0));
  show(label + " setxattr value", setxattr("given", "user.x", bad, 100, 0));
  show(label + " setxattr acl", setxattr("given", "system.posix_acl_access", bad, 100, 0));
  show(label + " lsetxattr", lsetxattr(bad, bad, bad, 1, 0));
  show(label + " chroot", chroot(bad));
  show_open(label + " O_PATH", open(bad, O_PATH | O_CREAT, 0666));
  show_open(label + " O_TMPFILE", open(bad, O_TMPFILE | O_RDWR, 0666));
  show_open(label + " O_TMPFILE path", open(bad, O_TMPFILE | O_PATH | O_RDWR, 0666));
  FILE* stream = std::fopen(bad, "w,ccs=UTF-8");
  show(label + " fopen", stream == nullptr ? -1 : 0);
  if (stream != nullptr) std::fclose(stream);
}

void try_bind(const std::string& label, const void* address, socklen_t length) {
  const int fd = victim::need(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  show(label + " bind", bind(fd, static_cast<const sockaddr*>(address), length));
  show(label + " bind by number", syscall(SYS_bind, fd, address, length));
  close(fd);
}

void try_numbers(const std::string& label, const char* bad) {
  const auto one = [&](long number, long flags) {
    show(label + " number " + std::to_string(number), syscall(number, bad, flags, 0, 0));
  };
  const auto two = [&](long number) {
    show(label + " number " + std::to_string(number),
         syscall(number, AT_FDCWD, bad, AT_FDCWD, bad, 0));
  };
#ifdef SYS_open  // the newer machines have those that take a directory alone
  for (const long number : {SYS_open, SYS_creat, SYS_mkdir, SYS_mknod, SYS_chmod, SYS_unlink})
    one(number, O_CREAT | O_WRONLY);
  for (const long number : {SYS_rename, SYS_link, SYS_symlink})
    show(label + " number " + std::to_string(number), syscall(number, bad, bad));
#endif
  one(SYS_chroot, 0);
  one(SYS_execve, 0);
  two(SYS_linkat);
  two(SYS_renameat2);
  for (const long number : {SYS_openat, SYS_mkdirat, SYS_mknodat, SYS_fchmodat, SYS_unlinkat})
    show(label + " number " + std::to_string(number),
         syscall(number, AT_FDCWD, bad, O_CREAT | O_WRONLY, 0));
  show(label + " symlinkat by number", syscall(SYS_symlinkat, bad, AT_FDCWD, bad));
  show(label + " openat2", syscall(SYS_openat2, AT_FDCWD, "given", bad, 24));
  show(label + " openat2 path", syscall(SYS_openat2, AT_FDCWD, bad, bad, 24));
  show(label + " clone3", syscall(SYS_clone3, bad, sizeof(clone_args)));
  show(label + " prctl", syscall(SYS_prctl, PR_SET_NAME, bad, 0, 0, 0));
  show(label + " PR_SET_NAME", prctl(PR_SET_NAME, bad, 0, 0, 0));
}

void try_filters(const std::string& label, const char* bad) {
  show(label + " seccomp", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, bad));
  show(label + " PR_SET_SECCOMP", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, bad, 0, 0));
  show(label + " no mode", prctl(PR_SET_SECCOMP, 77, bad, 0, 0));
}

void try_addresses() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // No NUL within the length, and a name that ends with its page.
  const socklen_t length = offsetof(sockaddr_un, sun_path) + 4;
  char* tight = end_of_page(length, 'n');
  std::memcpy(tight, &address.sun_family, sizeof address.sun_family);
  try_bind("tight", tight, length);
  try_bind("over the end", tight, length + 1);
  try_bind("no name", tight, sizeof address.sun_family);
  try_bind("too short", tight, 1);
  try_bind("too long", tight, sizeof address + 1);
  try_bind("huge", tight, 0x7fffffff);
  std::memset(address.sun_path, 'm', sizeof address.sun_path);
  try_bind("longest", &address, sizeof address);
}

// The stream's character set follows the letters; some letters count behind the comma too.
void try_streams() {
  for (const char* mode : {"w,ccs=UTF-8", "wx,ccs=UTF-8", "a+,ccs=UTF-8", "w,ccs=no-such-set",
                           "w,ccs=x", "we+cbmx,ccs=UTF-8", "w,", "w,ccs=", "q,ccs=UTF-8"}) {
    for (const char* when : {"new", "there"}) {
      const std::string path = std::string("stream ") + mode;
      FILE* stream = std::fopen(path.c_str(), mode);
      show(path + " " + when, stream == nullptr ? -1 : 0);
      if (stream != nullptr) std::fclose(stream);
    }
  }
}

void try_flags() {
  constexpr int kTemporary = O_TMPFILE & ~O_DIRECTORY;
  show_open("O_PATH creates nothing", open("path", O_PATH | O_CREAT | O_EXCL, 0666));
  show_open("O_PATH is not O_TMPFILE", open(".", O_PATH | O_TMPFILE, 0666));
  show_open("O_PATH | O_TMPFILE | O_RDWR", open(".", O_PATH | O_TMPFILE | O_RDWR, 0666));
  show_open("O_TMPFILE to read", open(".", O_TMPFILE | O_RDONLY, 0666));
  show_open("O_TMPFILE and O_CREAT", open(".", O_TMPFILE | O_CREAT | O_RDWR, 0666));
  show_open("O_TMPFILE and O_EXCL", open(".", O_TMPFILE | O_EXCL | O_RDWR, 0666));
  show_open("half of O_TMPFILE", open(".", kTemporary | O_RDWR, 0666));
  show_open("O_DIRECTORY and O_CREAT", open("dir", O_DIRECTORY | O_CREAT | O_RDWR, 0666));
  show_open("O_CREAT and a slash", open("slash/", O_CREAT | O_WRONLY, 0666));
  show_open("O_DIRECT", open("direct", O_DIRECT | O_CREAT | O_WRONLY, 0666));
  show_open("all bits", open("all", -1, 0666));
}

}  // namespace

int main(int argc, char** argv) {
  victim::need(chdir(victim::directory(argc, argv).c_str()), "chdir");
  umask(0027);
  show_open("given", open("given", O_CREAT | O_EXCL | O_WRONLY, 0666));
  const struct {
    const char* label;
    const char* pointer;
  } bad[] = {
      {"null", nullptr},
      {"unmapped", reinterpret_cast<const char*>(16)},
      {"no end", end_of_page(3, 'n')},
      {"kernel", reinterpret_cast<const char*>(~std::uintptr_t{0} - 8191)},
      {"not canonical", reinterpret_cast<const char*>(std::uintptr_t{1} << 62)},
      {"last byte", reinterpret_cast<const char*>(~std::uintptr_t{0})},
  };
  for (const auto& [label, pointer] : bad) {
    try_names(label, pointer);
    try_numbers(label, pointer);
    try_bind(label, pointer, sizeof(sockaddr_un));
    if (argc > 2) try_filters(label, pointer);
  }
  try_addresses();
  try_streams();
  try_flags();

  // Names that end with their pages are good ones.
  const char* edge = std::strcpy(end_of_page(5, 0), "edge");
  const char* other = std::strcpy(end_of_page(6, 0), "other");
  show_open("edge", open(edge, O_CREAT | O_EXCL | O_WRONLY, 0666));
  show("edge rename", rename(edge, other));
  show("edge link", link(other, edge));
  show("edge chmod", chmod(edge, 0604));
  show("edge symlink", symlink(other, std::strcpy(end_of_page(4, 0), "sym")));
  show("edge unlink", unlink(edge));
  return 0;
}
