// The socket to `umaskaudit run`; see served_segment.h.

#include "preload/record/served_segment.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "preload/state.h"
#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"
#include "preload/trace/segment_request.h"

namespace umaskaudit::shim {

namespace {

constexpr unsigned kTries = 3;

// The three parts of recorder=NAME.KEY.UID.
struct Place {
  sockaddr_un address{};
  socklen_t size = 0;
  const char* key = nullptr;
  std::uint32_t uid = 0;
};

// False: the option is not set, or invalid.
bool read_place(const Text& option, Place& place) {
  const char* const name_end = strchr(option.bytes, '.');
  if (name_end == nullptr) return false;
  const auto length = static_cast<std::size_t>(name_end - option.bytes);
  if (length == 0 || length + 1 > sizeof place.address.sun_path) return false;
  place.key = name_end + 1;
  const char* uid = strchr(place.key, '.');
  if (uid == nullptr || uid - place.key != trace::kRecorderKeySize || uid[1] == '\0') return false;
  for (++uid; *uid != '\0'; ++uid) {
    if (*uid < '0' || *uid > '9') return false;
    place.uid = place.uid * 10 + static_cast<std::uint32_t>(*uid - '0');
  }
  // An abstract name begins with a NUL and ends at the end of the address.
  place.address.sun_family = AF_UNIX;
  memcpy(place.address.sun_path + 1, option.bytes, length);
  place.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return true;
}

// Signals are blocked, but a stop and continue interrupts a wait that has a timeout (signal(7)).
template <typename Call>
long patiently(Call call) {
  long result = -EINTR;
  for (unsigned i = 0; i < kTries && result == -EINTR; ++i) result = call();
  return result;
}

// The name is free once a run is over: another user could listen there, receive the key, and pass a
// file that it truncates while it is mapped. So the listener's user is checked.
bool is_of(int connection, std::uint32_t uid) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const long error = sys::call(SYS_getsockopt, connection, SOL_SOCKET, SO_PEERCRED, sys::arg(&peer),
                               sys::arg(&size));
  return error == 0 && size == sizeof peer && peer.uid == uid;
}

// The kernel accepts a connection at once. The answer takes as long as creating a file, on a busy
// disk seconds; only a server that was stopped takes longer.
long set_limits(int fd) {
  const timeval connecting{2, 0};
  const timeval answering{10, 0};
  const long error = sys::call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, sys::arg(&connecting),
                               sizeof connecting);
  if (error != 0) return error;
  return sys::call(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, sys::arg(&answering),
                   sizeof answering);
}

int connect_to(const Place& place) {
  const auto fd =
      static_cast<int>(sys::call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd < 0) return fd;
  long error = set_limits(fd);
  if (error == 0) {
    error =
        patiently([&] { return sys::call(SYS_connect, fd, sys::arg(&place.address), place.size); });
  }
  if (error == 0 && !is_of(fd, place.uid)) error = -EPERM;
  if (error == 0) return fd;
  sys::close(fd);
  return static_cast<int>(error);
}

// Receives the answer and its descriptor; 0 or an error number.
int receive(int connection, ServedSegment& segment) {
  trace::SegmentAnswer answer{};
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{&answer, sizeof answer};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const long size = patiently(
      [&] { return sys::call(SYS_recvmsg, connection, sys::arg(&message), MSG_CMSG_CLOEXEC); });
  if (size < 0) return static_cast<int>(-size);
  int fd = -1;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof fd)) {
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
  }
  const int error = size != sizeof answer ? EPROTO : answer.error;
  if (error != 0 || fd < 0) {
    if (fd >= 0) sys::close(fd);
    return error != 0 ? error : EPROTO;
  }
  segment.fd = fd;
  segment.limit = answer.limit;
  static_assert(sizeof segment.root == sizeof answer.root);
  if (answer.root_length < sizeof segment.root) {
    segment.root_length = answer.root_length;
    memcpy(segment.root, answer.root, answer.root_length);
  }
  return 0;
}

void try_to_connect(void* argument) {
  Place place;
  const int fd = read_place(process.options.recorder, place) ? connect_to(place) : -ENOENT;
  *static_cast<bool*>(argument) = fd >= 0;
  if (fd >= 0) sys::close(fd);
}

}  // namespace

bool is_out_of_reach(int error) {
  return error == EACCES || error == EPERM || error == ENOENT || error == EROFS;
}

int ask_for_segment(std::uint32_t pid, ServedSegment& segment) {
  Place place;
  if (!read_place(process.options.recorder, place)) return ENOENT;
  const int connection = connect_to(place);
  if (connection < 0) return -connection;
  trace::SegmentRequest request{trace::kSegmentRequestVersion, pid, {}};
  memcpy(request.key, place.key, sizeof request.key);
  const long sent = sys::call(SYS_sendto, connection, sys::arg(&request), sizeof request,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
  const int error = sent == sizeof request ? receive(connection, segment)
                    : sent < 0             ? static_cast<int>(-sent)
                                           : EPROTO;
  if (error != 0) {
    sys::close(connection);
    return error;
  }
  segment.connection = connection;
  return 0;
}

void tell_outcome(const ServedSegment& segment, int error) {
  const trace::SegmentOutcome outcome{error};
  sys::close(segment.fd);
  sys::call(SYS_sendto, segment.connection, sys::arg(&outcome), sizeof outcome,
            MSG_DONTWAIT | MSG_NOSIGNAL);
  sys::close(segment.connection);
}

bool segments_are_served() {
  bool served = false;
  if (process.options.recorder.empty()) return false;
  run_in_own_table(try_to_connect, &served);
  return served;
}

}  // namespace umaskaudit::shim
