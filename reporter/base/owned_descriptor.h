// Descriptors and directory streams that close themselves. Must never be copied.
// Called by what reads, trims, copies or packs files.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <memory>

namespace umaskaudit {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace umaskaudit
