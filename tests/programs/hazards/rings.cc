// Creates a file by a request to io_uring through liburing, which makes its system calls by
// instructions of its own. Built as a program, and as a module with make_by_ring() in it.
// Ground truth: the mode, by stat. Usage: rings DIR. Code 77: there is no io_uring here.
#include <liburing.h>

#include "victim.h"

// 0, or the exit code.
extern "C" int make_by_ring(const char* dir) {
  const std::string path = std::string(dir) + "/by-ring";
  io_uring ring{};
  if (io_uring_queue_init(1, &ring, 0) < 0) return 77;
  io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD, path.c_str(), O_CREAT | O_EXCL | O_WRONLY,
                       0666);
  io_uring_cqe* done = nullptr;
  if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &done) != 0) return 77;
  const int fd = done->res;
  io_uring_cqe_seen(&ring, done);
  io_uring_queue_exit(&ring);
  if (fd < 0) return 77;
  victim::create(std::string(dir) + "/by-call");
  std::printf(R"({"unseen":"%s","final":"%04o"})"
              "\n",
              path.c_str(), victim::mode_of(fd));
  std::fflush(stdout);
  close(fd);
  return 0;
}

int main(int argc, char** argv) {
  umask(0027);
  return make_by_ring(victim::directory(argc, argv).c_str());
}
