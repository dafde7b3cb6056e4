// Routes that are not one row each: other numbers of syscall(2), older symbol versions, O_TMPFILE,
// children of posix_spawn, streams of C++, and calls that look like creations and are none.
#include <linux/openat2.h>
#include <mqueue.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstddef>
#include <filesystem>
#include <fstream>

#include "route_given.h"

// What programs that were linked before glibc 2.34 call: from librt and libpthread.
#if defined(__x86_64__)
extern "C" {
mqd_t old_mq_open(const char*, int, mode_t, mq_attr*);
sem_t* old_sem_open(const char*, int, mode_t, unsigned);
int old_shm_open(const char*, int, mode_t);
}
__asm__(".symver old_mq_open, mq_open@GLIBC_2.3.4");
__asm__(".symver old_sem_open, sem_open@GLIBC_2.2.5");
__asm__(".symver old_shm_open, shm_open@GLIBC_2.2.5");
#endif

namespace route {
namespace {

constexpr int kCreate = O_CREAT | O_RDWR;

bool openat2_number(Attempt& attempt) {
  GIVEN(file, 0);
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.mode = mode;
  attempt.fd = static_cast<int>(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
  return attempt.fd >= 0;
}

// The kernel's names have no slash.
bool mq_open_number(Attempt& attempt) {
  attempt.requested = kAsked;
  attempt.recorded = ipc_name(attempt).substr(1);
  const mq_attr small = small_queue();
  attempt.fd =
      static_cast<int>(syscall(SYS_mq_open, attempt.recorded.c_str(), kCreate, kAsked, &small));
  return attempt.fd >= 0;
}

#if defined(__x86_64__)
bool mq_open_before(Attempt& attempt) {
  attempt.requested = kAsked;
  attempt.recorded = ipc_name(attempt);
  mq_attr small = small_queue();
  attempt.fd = old_mq_open(attempt.recorded.c_str(), kCreate, kAsked, &small);
  return attempt.fd >= 0;
}
bool shm_open_before(Attempt& attempt) {
  attempt.requested = kAsked;
  attempt.recorded = ipc_name(attempt);
  attempt.fd = old_shm_open(attempt.recorded.c_str(), kCreate, kAsked);
  return attempt.fd >= 0;
}
bool sem_open_before(Attempt& attempt) {
  attempt.requested = kAsked;
  attempt.recorded = ipc_name(attempt);
  attempt.look_at = "/dev/shm/sem." + attempt.recorded.substr(1);
  sem_t* const semaphore = old_sem_open(attempt.recorded.c_str(), O_CREAT, kAsked, 1);
  return semaphore != SEM_FAILED && sem_close(semaphore) == 0;
}
#endif

// O_TMPFILE: without a name, until linkat(2) gives it one.
template <typename Open>
bool unnamed(Attempt& attempt, Open open_in) {
  attempt.requested = kAsked;
  const std::string folder = attempt.path.substr(0, attempt.path.rfind('/'));
  attempt.recorded = folder;
  attempt.fd = open_in(folder.c_str());
  if (attempt.fd < 0) return false;
  const std::string link = "/proc/self/fd/" + std::to_string(attempt.fd);
  if (linkat(AT_FDCWD, link.c_str(), AT_FDCWD, attempt.path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return false;
  }
  attempt.recorded = attempt.path;
  return true;
}
bool open_unnamed(Attempt& attempt) {
  return unnamed(attempt,
                 [](const char* in) { return open(in, O_TMPFILE | O_WRONLY, mode_t{kAsked}); });
}
bool openat64_unnamed(Attempt& attempt) {
  return unnamed(attempt, [](const char* in) {
    return openat64(AT_FDCWD, in, O_TMPFILE | O_RDWR, mode_t{kAsked});
  });
}

// Created by a child that shares this process's memory and never runs code of ours.
bool spawned(Attempt& attempt) {
  attempt.requested = kAsked;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, attempt.path.c_str(), kCreate, kAsked);
  char program[] = "/bin/true";
  char* const argv[] = {program, nullptr};
  const int error = posix_spawn(&attempt.child, program, &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  // Refused in the child: it never was, and which of its actions failed is not told.
  attempt.silent = error != 0;
  return error == 0 && victim::need(waitpid(attempt.child, nullptr, 0), "waitpid") > 0;
}

bool output_stream(Attempt& attempt) {
  attempt.requested = 0666;
  return std::ofstream(given_path(attempt, AT_FDCWD)).is_open();
}
bool directory_of_filesystem(Attempt& attempt) {
  attempt.requested = 0777;
  std::error_code error;
  return std::filesystem::create_directory(given_path(attempt, AT_FDCWD), error);
}

// The socket's own mode is what bind(2) asks for.
bool bind_changed(Attempt& attempt) {
  const Socket bound(attempt);
  attempt.requested = 0640;
  victim::need(fchmod(bound.fd(), attempt.requested), "fchmod");
  return bind(bound.fd(), bound.address(), Socket::kLength) == 0;
}
// unix(7): neither a name that begins with a zero byte nor one that the kernel chooses is a file.
bool bind_nameless(Attempt& attempt) {
  attempt.silent = true;
  const Socket abstract(attempt), automatic(attempt);
  sockaddr_un address = *reinterpret_cast<const sockaddr_un*>(abstract.address());
  std::memmove(address.sun_path + 1, address.sun_path, attempt.relative.size());
  address.sun_path[0] = '\0';
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + attempt.relative.size());
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  return bind(abstract.fd(), name, length) == 0 &&
         bind(automatic.fd(), name, sizeof address.sun_family) == 0;
}
bool open_without_creating(Attempt& attempt) {
  attempt.silent = true;
  close(open("/dev/null", O_WRONLY | O_TRUNC));
  std::fclose(std::fopen("/dev/null", "r+"));
  // O_PATH: open(2) then ignores O_CREAT.
  close(open("/dev/null", O_PATH | O_CREAT, mode_t{kAsked}));
  return true;
}

}  // namespace

std::vector<Route> of_others() {
  return {
    {"syscall:openat2", "syscall", openat2_number}, {"syscall:mq_open", "syscall", mq_open_number},
#if defined(__x86_64__)
        {"mq_open@GLIBC_2.3.4", "mq_open", mq_open_before},
        {"shm_open@GLIBC_2.2.5", "shm_open", shm_open_before},
        {"sem_open@GLIBC_2.2.5", "sem_open", sem_open_before},
#endif
        {"open:O_TMPFILE", "open", open_unnamed, true},
        {"openat64:O_TMPFILE", "openat64", openat64_unnamed, true},
        {"posix_spawn_file_actions_addopen", "posix_spawn_file_actions_addopen", spawned},
        {"std::ofstream", "fopen64|fopen|open|open64", output_stream},
        {"std::filesystem", "mkdir", directory_of_filesystem, true},
        {"bind:fchmod", "bind", bind_changed}, {"bind:nameless", "bind", bind_nameless, true},
        {"open:nothing", "open", open_without_creating, true},
  };
}

}  // namespace route
