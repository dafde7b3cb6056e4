// The calls that the loops time, one row each: what one turn does, and what it works on.
// Must never do anything in a turn that is not the work: everything else is done around the batch.
// Called by loops.cc.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
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

inline constexpr std::array kWorks = {
    Work{"open", Target::existing, 1, turn_open, nullptr},
    Work{"open-creat-existing", Target::existing, 1, turn_open_creat, nullptr},
    Work{"create-excl", Target::fresh, 1, turn_create_excl, unlink},
    Work{"create-trunc", Target::fresh, 1, turn_create_trunc, unlink},
    Work{"fopen", Target::fresh, 1, turn_fopen, unlink},
    Work{"mkdir", Target::fresh, 1, turn_mkdir, rmdir},
    Work{"mkfifo", Target::fresh, 1, turn_mkfifo, unlink},
    Work{"mq_open", Target::queue, 1, turn_mq_open, mq_unlink},
    Work{"umask", Target::none, 2, turn_umask, nullptr},
};

}  // namespace umaskaudit::bench
