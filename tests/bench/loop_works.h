// The calls that the loops time, one row each: what one turn does, and what it works on.
// Must never do anything in a turn that is not the work, or in its parts that the shim does not ask
// the kernel: everything else is done around the batch. Called by loops.cc.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string_view>

#include "tests/programs/victim.h"

namespace umaskaudit::bench {

enum class Target {
  none,      // no path
  existing,  // one file, there before the batch and after it
  fresh,     // a new name each turn, removed after the batch
  queue,     // the same for message queues, whose names are no paths
};

struct Work {
  std::string_view name;
  Target target;
  int calls;  // of the audited functions in a turn
  void (*turn)(const char* path);
  int (*remove)(const char* path);
  // The turn with the system calls around it that no recorder of this kind can do without, made
  // bare: what the turn would cost if all else were free. Null: the shim asks the kernel nothing.
  void (*turn_with_parts)(const char* path);
};

inline void close_new(int fd, const char* what) { close(victim::need(fd, what)); }

inline void turn_open(const char* path) { close_new(open(path, O_RDONLY), "open"); }
inline void turn_open_creat(const char* path) {
  close_new(open(path, O_CREAT | O_WRONLY, 0666), "open of an existing file");
}
inline void turn_create_excl(const char* path) {
  close_new(open(path, O_CREAT | O_EXCL | O_WRONLY, 0666), "create");
}
inline void turn_create_trunc(const char* path) {
  close_new(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666), "create");
}
inline void turn_fopen(const char* path) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) victim::die("fopen");
  std::fclose(file);
}
inline void turn_mkdir(const char* path) { victim::need(mkdir(path, 0777), "mkdir"); }
inline void turn_mkfifo(const char* path) { victim::need(mkfifo(path, 0666), "mkfifo"); }
inline void turn_mq_open(const char* name) {
  mq_attr small{};
  small.mq_maxmsg = 1;
  small.mq_msgsize = 1;
  mq_close(victim::need(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0666, &small), "mq_open"));
}
inline void turn_umask(const char*) {
  umask(077);
  umask(022);
}

// The look at what a call has made: its type, mode, owner and identity (statx(2)).
inline void look(int fd, const char* path, int flags) {
  constexpr unsigned kMountId = 0x1000;  // STATX_MNT_ID of newer headers
  struct statx found;
  victim::need(
      statx(fd, path, flags,
            STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_BTIME | kMountId,
            &found),
      "statx");
}
inline int look_at(int fd) {
  look(fd, "", AT_EMPTY_PATH);
  return fd;
}
inline void look_at(const char* path) { look(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW); }

inline void parts_open_creat(const char* path) {
  constexpr int kCreatedQuery = 1024 + 4;  // F_CREATED_QUERY: fcntl(2), Linux 6.12
  const int fd = look_at(victim::need(open(path, O_CREAT | O_WRONLY, 0666), "open"));
  fcntl(fd, kCreatedQuery, 0);
  close(fd);
}
inline void parts_create_excl(const char* path) {
  close(look_at(victim::need(open(path, O_CREAT | O_EXCL | O_WRONLY, 0666), "create")));
}
inline void parts_create_trunc(const char* path) {
  close(look_at(victim::need(open(path, O_CREAT | O_EXCL | O_TRUNC | O_WRONLY, 0666), "create")));
}
inline void parts_fopen(const char* path) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) victim::die("fopen");
  look_at(fileno(file));
  std::fclose(file);
}
inline void parts_mkdir(const char* path) {
  turn_mkdir(path);
  look_at(path);
}
inline void parts_mkfifo(const char* path) {
  turn_mkfifo(path);
  look_at(path);
}
inline void parts_mq_open(const char* name) {
  mq_attr small{};
  small.mq_maxmsg = 1;
  small.mq_msgsize = 1;
  mq_close(
      look_at(victim::need(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0666, &small), "mq_open")));
}
// A handler may not change the mask between the change and its record: signals wait.
inline void umask_without_signals(mode_t mask) {
  const std::uint64_t all = ~std::uint64_t{0};
  std::uint64_t before = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
  umask(mask);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);
}
inline void parts_umask(const char*) {
  umask_without_signals(077);
  umask_without_signals(022);
}

inline constexpr std::array kWorks = {
    Work{"open", Target::existing, 1, turn_open, nullptr, nullptr},
    Work{"open-creat-existing", Target::existing, 1, turn_open_creat, nullptr, parts_open_creat},
    Work{"create-excl", Target::fresh, 1, turn_create_excl, unlink, parts_create_excl},
    Work{"create-trunc", Target::fresh, 1, turn_create_trunc, unlink, parts_create_trunc},
    Work{"fopen", Target::fresh, 1, turn_fopen, unlink, parts_fopen},
    Work{"mkdir", Target::fresh, 1, turn_mkdir, rmdir, parts_mkdir},
    Work{"mkfifo", Target::fresh, 1, turn_mkfifo, unlink, parts_mkfifo},
    Work{"mq_open", Target::queue, 1, turn_mq_open, mq_unlink, parts_mq_open},
    Work{"umask", Target::none, 2, turn_umask, nullptr, parts_umask},
};

}  // namespace umaskaudit::bench
