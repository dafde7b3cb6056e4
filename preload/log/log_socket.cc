
#include "preload/log/log_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cstring>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

int connect_to(const sockaddr_un& address, int type) {
  const long fd = sys::call(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return static_cast<int>(fd);
  const long done =
      sys::call(SYS_connect, fd, sys::arg(&address), static_cast<long>(sizeof address));
  if (done == 0) return static_cast<int>(fd);
  sys::close(static_cast<int>(fd));
  return static_cast<int>(done);
}

}  // namespace

LogSocket::LogSocket(const char* path, bool streams) : fd_(-ENAMETOOLONG) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return;
  memcpy(address.sun_path, path, length);
  fd_ = connect_to(address, SOCK_DGRAM);
  if (fd_ != -EPROTOTYPE || !streams) return;
  fd_ = connect_to(address, SOCK_STREAM);
  stream_ = true;
}

LogSocket::~LogSocket() {
  if (fd_ >= 0) sys::close(fd_);
}

bool LogSocket::send(const char* head, std::size_t head_length, const char* text,
                     std::size_t length) const {
  if (fd_ < 0) return false;
  iovec pieces[] = {{const_cast<char*>(head), head_length},
                    {const_cast<char*>(text), length},
                    {const_cast<char*>(""), stream_ ? 1u : 0u}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 3;
  const long sent = sys::call(SYS_sendmsg, fd_, sys::arg(&message), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<long>(head_length + length + (stream_ ? 1 : 0));
}

}  // namespace umaskaudit::shim
