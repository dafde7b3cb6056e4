// Names of sockets that need no file (unix(7), the abstract name space), and that nobody guesses.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

namespace umaskaudit {

// Random hexadecimal digits (getrandom(2)); empty: the kernel has none.
std::string random_hex(std::size_t digits);

// The address of `name`, which is shorter than a path of unix(7).
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
