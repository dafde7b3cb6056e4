// Calls that create nothing, each refused for another reason, some before the kernel read the path.
// Ground truth: a JSON line a call, with path, call and errno; "" for a path at an unmapped
// address. Usage: failed_creations DIR. Run by root, it goes on as another user, whom modes can
// refuse.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>

#include "victim.h"

namespace {

constexpr std::size_t kPage = 4096;
std::string here;

// The call that just returned must have failed.
void failed(const char* call, const std::string& path, bool as_it_is = false) {
  const int error = errno;
  const bool relative = !path.empty() && path[0] != '/' && !as_it_is;
  std::printf(R"({"path":"%s","call":"%s","errno":%d})"
              "\n",
              ((relative ? here + '/' : "") + path).c_str(), call, error);
}
void must_fail(const char* call, bool success, const std::string& path, bool as_it_is = false) {
  if (success) victim::die("a call that must fail did not");
  failed(call, path, as_it_is);
}

void refused_by_a_directory() {
  umask(0755);
  victim::need(mkdir("shut", 0777), "shut");
  umask(0022);
  const int shut = victim::need(open("shut", O_PATH | O_DIRECTORY), "shut");
  must_fail("mkdir", mkdir("shut/dir", 0777) == 0, "shut/dir");
  must_fail("mkdirat", mkdirat(shut, "below", 0777) == 0, "shut/below");
  must_fail("open", open("shut/file", O_CREAT | O_WRONLY, 0666) >= 0, "shut/file");
  must_fail("open", open("./shut//twice", O_CREAT | O_EXCL | O_WRONLY, 0666) >= 0, "shut/twice");
  must_fail("open", open("shut", O_TMPFILE | O_WRONLY, 0666) >= 0, "shut");
  must_fail("fopen", std::fopen("shut/stream", "w") != nullptr, "shut/stream");
  must_fail("fopen", std::fopen("shut/stream", "w,ccs=UTF-8") != nullptr, "shut/stream");
  must_fail("mkfifo", mkfifo((here + "/shut/fifo").c_str(), 0666) == 0, "shut/fifo");
  char name[] = "shut/tXXXXXX";
  const bool made = mkstemp(name) >= 0;
  must_fail("mkstemp", made, name);
  must_fail("mkdirat", syscall(SYS_mkdirat, AT_FDCWD, "shut/raw", 0777) == 0, "shut/raw");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "shut/socket");
  const int fd = victim::need(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  must_fail("bind", bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "shut/socket");
  close(fd);
  close(shut);
}

void refused_otherwise() {
  const std::string long_name(256, 'n');
  must_fail("open", open(long_name.c_str(), O_CREAT | O_WRONLY, 0666) >= 0, long_name);
  must_fail("mknod", mknod("device", S_IFBLK | 0666, 0x700) == 0, "device");
  must_fail("mknod", mknod("link", S_IFLNK | 0666, 0) == 0, "link");
  must_fail("sem_open", sem_open("/a/b", O_CREAT, 0666, 0) != SEM_FAILED, "/a/b");
  must_fail("shm_open", shm_open("/a/b", O_CREAT | O_RDWR, 0666) >= 0, "/a/b");
  must_fail("mq_open", mq_open("/a/b", O_CREAT | O_RDWR, 0666, nullptr) >= 0, "/a/b");
  must_fail("mq_open", mq_open("no-slash", O_CREAT | O_RDWR, 0666, nullptr) >= 0, "no-slash", true);
  rlimit limit;
  victim::need(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  const rlimit none{0, limit.rlim_max};
  victim::need(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
  must_fail("open", open("one-too-many", O_CREAT | O_WRONLY, 0666) >= 0, "one-too-many");
  victim::need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

// A filter answers before the kernel reads anything: the path may be good, or not.
void refused_by_a_filter() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mknodat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMLINK),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) std::_Exit(77);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) std::_Exit(77);
  auto* pages = static_cast<char*>(
      mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED) victim::die("mmap");
  victim::need(munmap(pages + 2 * kPage, kPage), "munmap");
  const auto at = [&](const char* bytes, std::size_t size, std::size_t where) {
    return static_cast<char*>(std::memcpy(pages + where, bytes, size));
  };
  const auto refuse = [](const char* path, const std::string& readable) {
    must_fail("mknod", mknod(path, S_IFREG | 0666, 0) == 0, readable);
  };
  refuse("filtered", "filtered");
  refuse(at("page/end", 9, 2 * kPage - 9), "page/end");
  refuse(at("two/pages", 10, kPage - 5), "two/pages");
  refuse(at("no end", 6, 2 * kPage - 6), "");
  refuse(reinterpret_cast<const char*>(16), "");
  refuse(reinterpret_cast<const char*>(~std::uintptr_t{0} - 8191), "");
  // Behind the end of a string is memory that may not be touched.
  victim::need(mprotect(pages + kPage, kPage, PROT_NONE), "mprotect");
  refuse(at("before", 7, kPage - 7), "before");
}

}  // namespace

int main(int argc, char** argv) {
  here = victim::directory(argc, argv);
  victim::need(chdir(here.c_str()), "chdir");
  constexpr uid_t kNobody = 65534;
  if (geteuid() == 0) victim::need(seteuid(kNobody), "seteuid");
  refused_by_a_directory();
  refused_otherwise();
  refused_by_a_filter();
  return 0;
}
