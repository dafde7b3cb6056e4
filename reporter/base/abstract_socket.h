// Names of sockets in the abstract name space, which need no file (unix(7)) and cannot be guessed.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

namespace umaskaudit {

// Random hexadecimal digits (getrandom(2)); empty: not supported by the kernel.
std::string random_hex(std::size_t digits);

// The address of `name`, which must be shorter than sun_path.
class AbstractAddress {
 public:
  explicit AbstractAddress(const std::string& name);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_un address_{};
  socklen_t size_;
};

}  // namespace umaskaudit
