// Creates a directory by a request to io_uring: the kernel makes it, no function of libc is called.
// Ground truth: its mode, by stat. Usage: io_uring DIR. Code 77: there is no io_uring here.
// The creation cannot be recorded: the record must say that it may have happened.
#include <linux/io_uring.h>
#include <sys/mman.h>

#include "victim.h"

namespace {

constexpr int kNoIoUring = 77;

template <typename T>
T* at(void* ring, unsigned offset) {
  return reinterpret_cast<T*>(static_cast<char*>(ring) + offset);
}

void* map_ring(int fd, std::size_t size, off_t which) {
  void* ring = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, which);
  if (ring == MAP_FAILED) victim::die("mmap");
  return ring;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = victim::directory(argc, argv) + "/by-ring";
  umask(0027);
  io_uring_params params{};
  const int fd = static_cast<int>(syscall(SYS_io_uring_setup, 1, &params));
  if (fd < 0) return kNoIoUring;
  void* submitted =
      map_ring(fd, params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
  void* completed = map_ring(fd, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe),
                             IORING_OFF_CQ_RING);
  auto* entry = static_cast<io_uring_sqe*>(map_ring(fd, sizeof(io_uring_sqe), IORING_OFF_SQES));
  *entry = {};
  entry->opcode = IORING_OP_MKDIRAT;
  entry->fd = AT_FDCWD;
  entry->addr = reinterpret_cast<std::uintptr_t>(path.c_str());
  entry->len = 0777;
  *at<unsigned>(submitted, params.sq_off.array) = 0;
  __atomic_store_n(at<unsigned>(submitted, params.sq_off.tail), 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1) {
    return kNoIoUring;
  }
  if (at<io_uring_cqe>(completed, params.cq_off.cqes)->res != 0) return kNoIoUring;
  std::printf(R"({"unseen":"%s","final":"%04o"})"
              "\n",
              path.c_str(), victim::mode_of(path));
  return 0;
}
