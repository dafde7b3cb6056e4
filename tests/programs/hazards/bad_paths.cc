// Passes pointers and names that the kernel refuses: null, unmapped, too long, missing, odd bytes.
// Ground truth: return value and errno of each call, on stdout; the same with and without a shim.
// A shim that looks at a path before the kernel did crashes here.
#include <spawn.h>
#include <sys/mman.h>

#include "victim.h"

namespace {

void show(const char* what, int result) {
  const int error = result < 0 ? errno : 0;
  std::printf("%s %d %d\n", what, result < 0 ? -1 : 0, error);
  if (result > 0) close(result);
}

void try_path(const char* label, const char* path) {
  const std::string name = label;
  errno = 0;
  show((name + " open").c_str(), open(path, O_CREAT | O_EXCL | O_WRONLY, 0666));
  show((name + " openat").c_str(), openat(AT_FDCWD, path, O_CREAT | O_WRONLY, 0666));
  show((name + " openat -1").c_str(), openat(-1, path, O_CREAT | O_WRONLY, 0666));
  show((name + " creat").c_str(), creat(path, 0666));
  show((name + " mkdir").c_str(), mkdir(path, 0777));
  show((name + " mkdirat").c_str(), mkdirat(AT_FDCWD, path, 0777));
  show((name + " mkfifo").c_str(), mkfifo(path, 0666));
  show((name + " mknod").c_str(), mknod(path, S_IFREG | 0666, 0));
  show((name + " read").c_str(), open(path, O_RDONLY));
}

// These must fail, or the program is another one from then on.
void try_exec(const char* label, const char* path, char* const* env) {
  const std::string name = label;
  char word[] = "exec";
  char* const argv[] = {word, nullptr};
  show((name + " execve").c_str(), execve(path, argv, env));
  pid_t child = 0;
  const int error = posix_spawn(&child, path, nullptr, nullptr, argv, environ);
  std::printf("%s posix_spawn %d\n", label, error);
}

}  // namespace

int main(int argc, char** argv) {
  victim::need(chdir(victim::directory(argc, argv).c_str()), "chdir");
  umask(0022);
  const char* unmapped = reinterpret_cast<const char*>(16);
  try_path("unmapped", unmapped);
  volatile const char* null = nullptr;
  try_path("null", const_cast<const char*>(null));
  try_path("empty", "");
  try_path("missing", "no/such/dir");
  try_path("plain", "plain");
  try_path("odd", "new\nline\xff\x1b[31m");
  try_path("longest", std::string(255, 'n').c_str());
  try_path("too long a name", std::string(256, 'n').c_str());
  try_path("too long a path", std::string(5000, '/').c_str());
  std::string deep;
  while (deep.size() < 4095) deep += "./";
  deep.resize(4095);
  deep.replace(4091, 4, "deep");
  try_path("longest path", deep.c_str());

  // A name that ends with its page, before a hole.
  auto* pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED) victim::die("mmap");
  victim::need(munmap(pages + 4096, 4096), "munmap");
  std::memcpy(pages + 4096 - 5, "edge", 5);
  try_path("page end", pages + 4096 - 5);
  std::memcpy(pages + 4096 - 4, "over", 4);  // NOLINT(bugprone-not-null-terminated-result): yes
  try_path("no end", pages + 4096 - 4);
  try_exec("no end", pages + 4096 - 4, environ);
  try_exec("unmapped", unmapped, environ);
  char* const odd_env[] = {const_cast<char*>(unmapped), nullptr};
  show("unmapped variable", execve("/bin/true", odd_env + 1, odd_env));
  auto* const no_env = reinterpret_cast<char* const*>(unmapped);
  show("unmapped environment", execve("/bin/true", odd_env + 1, no_env));

  // Success leaves errno alone.
  errno = 77;
  close(open("errno", O_CREAT | O_EXCL | O_WRONLY, 0666));
  mkdir("errno-dir", 0777);
  umask(umask(0));
  std::printf("errno %d\n", errno);
  return 0;
}
