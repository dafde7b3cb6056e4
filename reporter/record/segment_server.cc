// Serves the socket, its connections, and the files; see segment_server.h.
#include "reporter/record/segment_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "preload/trace/segment_request.h"
#include "reporter/base/abstract_socket.h"
#include "reporter/base/clock.h"
#include "reporter/base/quiet_thread.h"

namespace umaskaudit::record {
namespace {

// More open connections than this are an attack: every user can see the name. The oldest one that
// has sent no request is closed.
constexpr std::size_t kMostConnections = 4096;
constexpr std::size_t kPage = 4096;

// In constant time.
bool same_key(const char (&a)[trace::kRecorderKeySize], const std::string& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < sizeof a; ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

// MSG_NOSIGNAL: no SIGPIPE; `fd` -1: without a descriptor.
void send_answer(int connection, const trace::SegmentAnswer& answer, int fd) {
  trace::SegmentAnswer copy = answer;
  iovec part{&copy, sizeof copy};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof fd)] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// The name that the root directory of process `pid` has here; "": it is ours, or has no name, as in
// another mount name space.
std::string root_of(pid_t pid) {
  const std::string link = "/proc/" + std::to_string(pid) + "/root";
  char text[sizeof trace::SegmentAnswer::root];
  const ssize_t length = readlink(link.c_str(), text, sizeof text);
  if (length <= 1 || length >= static_cast<ssize_t>(sizeof text)) return "";
  const std::string name(text, static_cast<std::size_t>(length));
  struct stat named {};
  struct stat meant {};
  const bool same = stat(name.c_str(), &named) == 0 && stat(link.c_str(), &meant) == 0 &&
                    named.st_dev == meant.st_dev && named.st_ino == meant.st_ino;
  return same ? name : "";
}

trace::RunState* map_state(int directory) {
  const int fd = openat(directory, trace::kRunStateName, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  struct stat facts {};
  void* at = MAP_FAILED;
  if (fd >= 0 && fstat(fd, &facts) == 0 && facts.st_size >= static_cast<off_t>(kPage))
    at = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) ::close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<trace::RunState*>(at);
}

void add(std::uint64_t& counter) { __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED); }

}  // namespace

SegmentServer::SegmentServer(const std::string& directory) {
  directory_ = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string name = trace::kRecorderNamePrefix + random_hex(trace::kRecorderKeySize);
  key_ = random_hex(trace::kRecorderKeySize);
  int ends[2];
  if (directory_ < 0 || key_.empty() || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  wake_read_ = ends[0];
  wake_write_ = ends[1];
  state_ = map_state(directory_);
  if (listen_on(name)) option_ = "recorder=" + name + "." + key_ + "." + std::to_string(geteuid());
}

SegmentServer::~SegmentServer() {
  finish();
  for (const int fd : {directory_, listener_, wake_read_, wake_write_})
    if (fd >= 0) ::close(fd);
  if (state_ != nullptr) munmap(state_, kPage);
}

bool SegmentServer::listen_on(const std::string& name) {
  const AbstractAddress address(name);
  listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return listener_ >= 0 && bind(listener_, address.get(), address.size()) == 0 &&
         listen(listener_, SOMAXCONN) == 0;
}

// Programs wait for the answer, and hundreds may start at once, so the thread gets a higher
// priority if it may (setpriority(2) is per thread on Linux), and as many descriptors as it needs.
// CMD has been started by now and inherits none of this.
void SegmentServer::run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), -20);
  for (;;) {
    serve(-1);
    char word = 0;
    if (read(wake_read_, &word, 1) == 1) break;
  }
  // Requests of processes that have ended have been read by then.
  serve(0);
  serve(0);
}

void SegmentServer::start() {
  if (option_.empty()) return;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 2 * kMostConnections) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * kMostConnections);
    setrlimit(RLIMIT_NOFILE, &files);
  }
  thread_ = start_quiet_thread([this] { run(); });
}

void SegmentServer::finish() {
  if (thread_.joinable()) {
    const char word = 0;
    while (write(wake_write_, &word, 1) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  while (!connections_.empty()) close(connections_.size() - 1);
  if (listener_ >= 0) ::close(listener_);
  listener_ = -1;
}

// Handles all events after one poll.
void SegmentServer::serve(int timeout_ms) {
  std::vector<pollfd> waited{{wake_read_, POLLIN, 0}, {listener_, POLLIN, 0}};
  for (const Connection& connection : connections_) waited.push_back({connection.fd, POLLIN, 0});
  if (poll(waited.data(), waited.size(), timeout_ms) < 0) return;
  for (std::size_t i = connections_.size(); i-- > 0;)
    if (waited[i + 2].revents != 0 && !read_from(connections_[i])) close(i);
  if (waited[1].revents != 0) accept_all();
}

void SegmentServer::accept_all() {
  for (;;) {
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    const int fd =
        accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const bool full = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd < 0 && !full) return;
    if (full || connections_.size() >= kMostConnections) {
      const auto idle = std::find_if(connections_.begin(), connections_.end(),
                                     [](const Connection& one) { return one.segment.empty(); });
      if (!connections_.empty())
        close(idle == connections_.end() ? 0
                                         : static_cast<std::size_t>(idle - connections_.begin()));
      if (full) return;
    }
    connections_.push_back({fd, ""});
    if (!read_from(connections_.back())) close(connections_.size() - 1);
  }
}

bool SegmentServer::read_from(Connection& connection) {
  if (connection.segment.empty()) return answer_request(connection);
  trace::SegmentOutcome outcome{};
  const ssize_t size = recv(connection.fd, &outcome, sizeof outcome, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size == static_cast<ssize_t>(sizeof outcome)) {
    settle(connection, outcome.error);
    return false;
  }
  // It was killed meanwhile; a file without its size has no content.
  struct stat facts {};
  const char* name = connection.segment.c_str();
  if (fstatat(directory_, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_size == 0)
    unlinkat(directory_, name, 0);
  return false;
}

bool SegmentServer::answer_request(Connection& connection) {
  trace::SegmentRequest request{};
  const ssize_t size = recv(connection.fd, &request, sizeof request, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  ucred peer{};
  socklen_t length = sizeof peer;
  if (size != static_cast<ssize_t>(sizeof request) ||
      request.version != trace::kSegmentRequestVersion || !same_key(request.key, key_) ||
      getsockopt(connection.fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return false;
  count([](trace::RunState& state) { add(state.images); });
  const std::uint64_t limit = room();
  trace::SegmentAnswer answer{};
  answer.error = limit < trace::kFirstChunk ? EDQUOT : 0;
  answer.limit = limit;
  const std::string root = root_of(peer.pid);
  answer.root_length = static_cast<std::uint32_t>(root.size());
  std::memcpy(answer.root, root.data(), root.size());
  int fd = -1;
  if (answer.error == 0) fd = make_segment(request.pid, peer.uid, connection.segment);
  if (fd < 0 && answer.error == 0) answer.error = -fd;
  send_answer(connection.fd, answer, fd);
  if (fd >= 0) {
    ::close(fd);
    names_.push_back(connection.segment);
    return true;
  }
  settle(connection, answer.error);
  return false;
}

// As the library counts images with a segment of their own.
void SegmentServer::settle(const Connection& connection, int error) {
  count([error](trace::RunState& state) {
    add(error == 0 ? state.segments : state.segments_failed);
    if (error != 0)
      __atomic_store_n(&state.last_errno, static_cast<std::uint64_t>(error), __ATOMIC_RELAXED);
  });
  // An empty segment would look like a damaged one.
  if (error != 0 && !connection.segment.empty())
    unlinkat(directory_, connection.segment.c_str(), 0);
}

// "<pid>-<time>.u<uid>.seg", 0600 and ours, whatever the umask and a default ACL say. The library
// never removes files with such names (keep=latest): to total one it would map it, while another
// user can still truncate it. A descriptor, or a negative errno.
int SegmentServer::make_segment(std::uint32_t pid, uid_t uid, std::string& name) const {
  const std::uint64_t now = now_ns();
  for (unsigned attempt = 0; attempt < 16; ++attempt) {
    char text[64];
    std::snprintf(text, sizeof text, "%u-%016llx.u%u%s", pid,
                  static_cast<unsigned long long>(now + attempt), uid, trace::kSegmentSuffix);
    const int fd =
        openat(directory_, text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return -errno;
    fchmod(fd, 0600);
    name = text;
    return fd;
  }
  return -EEXIST;
}

// The limit of one more segment. If the run is bounded (max_run=), all served segments together get
// a quarter of that, counted separately: other users take no space from the run's own programs.
std::uint64_t SegmentServer::room() const {
  const std::uint64_t bound =
      state_ == nullptr ? 0 : __atomic_load_n(&state_->max_run, __ATOMIC_RELAXED);
  if (bound == 0) return UINT64_MAX;
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, stat(2)
  std::uint64_t taken = 0;
  for (const std::string& name : names_) {
    struct stat facts {};
    if (fstatat(directory_, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0)
      taken += static_cast<std::uint64_t>(facts.st_blocks) * kBlock;
  }
  return taken < bound / 4 ? bound / 4 - taken : 0;
}

void SegmentServer::close(std::size_t index) {
  ::close(connections_[index].fd);
  connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(index));
}

// A store to a page without disk space raises SIGBUS; so it is reserved first, where the kernel
// supports that.
template <typename Count>
void SegmentServer::count(Count counter) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, since Linux 5.14
  if (state_ == nullptr || (madvise(state_, kPage, kPopulateWrite) != 0 && errno != EINVAL)) return;
  counter(*state_);
}

}  // namespace umaskaudit::record
