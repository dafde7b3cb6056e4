// getrandom(2) and sockaddr_un; see abstract_socket.h.
#include "reporter/base/abstract_socket.h"

#include <sys/random.h>

#include <cstring>

namespace umaskaudit {

std::string random_hex(std::size_t digits) {
  std::string out;
  while (out.size() < digits) {
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return "";
    static constexpr char kDigits[] = "0123456789abcdef";
    for (const unsigned char byte : bytes) {
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  out.resize(digits);
  return out;
}

// The name follows a NUL; its length is given by the address's length.
AbstractAddress::AbstractAddress(const std::string& name)
    : size_(static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())) {
  address_.sun_family = AF_UNIX;
  std::memcpy(address_.sun_path + 1, name.data(), name.size());
}

}  // namespace umaskaudit
