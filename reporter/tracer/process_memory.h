// ProcessMemory: reads the mapped memory of another process.
// Must never write to it, or stop it.
#pragma once

#include <sys/uio.h>

#include <cstdint>

namespace umaskaudit::tracer {

class ProcessMemory {
 public:
  // `tid` may be any of its threads: the first one may have ended.
  explicit ProcessMemory(pid_t tid) : tid_(tid) {}
  pid_t tid() const { return tid_; }

  // Returns how many bytes from the first one on could be read.
  std::size_t read(std::uint64_t address, void* to, std::size_t size) const {
    const iovec local{to, size};
    const iovec remote{reinterpret_cast<void*>(address), size};
    const ssize_t got = process_vm_readv(tid_, &local, 1, &remote, 1, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  pid_t tid_;
};

}  // namespace umaskaudit::tracer
