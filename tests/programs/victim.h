// What the victim programs share: ground truth as JSON lines, and a start barrier.
// Must never be clever: a victim shows one behaviour and asks the kernel what came of it.
// Included by the programs of this folder; the tests in tests/e2e read what truth() prints.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace victim {

// Ends the program: the victim itself is broken, which is no result.
[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::_Exit(99);
}

// Returns `value`, or dies with `what` when a system call said -1.
template <typename T>
T need(T value, const char* what) {
  if (value == static_cast<T>(-1)) die(what);
  return value;
}

inline pid_t tid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// The permission bits on disk.
inline unsigned mode_of(int fd) {
  struct stat status;
  need(fstat(fd, &status), "fstat");
  return status.st_mode & 07777;
}
inline unsigned mode_of(const std::string& path) {
  struct stat status;
  need(lstat(path.c_str(), &status), path.c_str());
  return status.st_mode & 07777;
}

// One created object as the kernel says it is. Fields left at -1 are not claimed.
struct Truth {
  std::string path;
  unsigned mode = 0;
  const char* call = nullptr;
  const char* thread = nullptr;
  int tid = -1;
  int requested = -1;
  int mask = -1;  // claimed only where no other thread can change it
};

// Prints one JSON line. Paths here are plain ASCII.
inline void print(const Truth& truth) {
  std::printf(R"({"path":"%s","final":"%04o")", truth.path.c_str(), truth.mode);
  if (truth.call != nullptr) std::printf(R"(,"call":"%s")", truth.call);
  if (truth.thread != nullptr) std::printf(R"(,"thread":"%s")", truth.thread);
  if (truth.tid != -1) std::printf(R"(,"tid":%d)", truth.tid);
  if (truth.requested != -1) std::printf(R"(,"requested":"%04o")", truth.requested);
  if (truth.mask != -1) std::printf(R"(,"mask":"%04o")", truth.mask);
  std::puts("}");
}

// Creates `path` by open(2) and prints what became of it.
inline void create(const std::string& path, int requested = 0666, int mask = -1) {
  const int fd = need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, requested), path.c_str());
  print({path, mode_of(fd), "open", nullptr, tid(), requested, mask});
  close(fd);
}

// All parties leave wait() together: races start at one point, without sleeping.
class Barrier {
 public:
  explicit Barrier(unsigned parties) { pthread_barrier_init(&barrier_, nullptr, parties); }
  ~Barrier() { pthread_barrier_destroy(&barrier_); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  void wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

inline void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

// Attributes that hardly count against RLIMIT_MSGQUEUE, which all processes of a user share; with
// the defaults ten queues are all there may be.
inline mq_attr* small_queue() {
  static mq_attr attributes;
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  return &attributes;
}

// The directory to work in: the first argument.
inline std::string directory(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s DIR\n", argv[0]);
    std::_Exit(99);
  }
  return argv[1];
}

}  // namespace victim
