// What the calls of route_rows.cc and route_numbers.cc are made with: the names that a row of
// interceptors.def may have among its arguments, each with a value.
// Must never depend on what a row says of itself but for its kind of object.
#pragma once

#include <mqueue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <iterator>
#include <string_view>

#include "route.h"

namespace route {

constexpr unsigned kAsked = 0775;
constexpr unsigned kMostBits = 07777;  // mkdir(2) honours 01777 of them
constexpr int kNewest = 0;             // _MKNOD_VER_LINUX

// The bits to ask for; for mknod(2) with a type, each in turn. Devices would need root.
inline mode_t asked_for(std::string_view kind, const Attempt& attempt) {
  constexpr mode_t kTypes[] = {S_IFREG, S_IFIFO, S_IFSOCK, 0};
  if (kind == "dir") return kMostBits;
  return kAsked | (kind == "node" ? kTypes[attempt.round % std::size(kTypes)] : 0);
}

// With a dirfd the path is relative; without, in every second round.
inline const char* given_path(const Attempt& attempt, int dirfd) {
  const bool relative = dirfd != AT_FDCWD || attempt.round % 2 == 1;
  return relative ? attempt.relative.c_str() : attempt.path.c_str();
}

// A socket and a relative name for it: the directory's own may be longer than sun_path.
class Socket {
 public:
  explicit Socket(const Attempt& attempt)
      : fd_(victim::need(socket(AF_UNIX, SOCK_STREAM, 0), "socket")) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, attempt.relative.c_str(), attempt.relative.size() + 1);
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static constexpr socklen_t kLength = sizeof(sockaddr_un);

 private:
  int fd_;
  sockaddr_un address_{};
};

// As little as can be: the memory of all queues of a user is limited (mq_overview(7)).
inline mq_attr small_queue() {
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  return attributes;
}

}  // namespace route

#define UNUSED [[maybe_unused]] const auto
#define GIVEN(KIND, DIRFD)                                \
  UNUSED dirfd = attempt.dirfd;                           \
  UNUSED path = ::route::given_path(attempt, DIRFD);      \
  UNUSED flags = O_CREAT | O_RDWR;                        \
  UNUSED version = ::route::kNewest;                      \
  const mode_t mode = ::route::asked_for(#KIND, attempt); \
  attempt.requested = mode & 07777
#define GIVEN_SOCKET                    \
  const ::route::Socket bound(attempt); \
  UNUSED fd = bound.fd();               \
  UNUSED address = bound.address();     \
  UNUSED length = bound.kLength;        \
  attempt.requested = 0777
