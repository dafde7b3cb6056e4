// One way to write for each kind of file; see quiet_write.h.

#include "preload/log/quiet_write.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstring>

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// SIGPIPE and SIGXFSZ that were not pending before are caused by our write, and discarded.
class RaisedSignals {
 public:
  RaisedSignals() { sys::call(SYS_rt_sigpending, sys::arg(&pending_), sizeof pending_); }
  ~RaisedSignals() {
    if (raised_) take_back();
  }
  RaisedSignals(const RaisedSignals&) = delete;
  RaisedSignals& operator=(const RaisedSignals&) = delete;

  void note(long written) { raised_ = raised_ || written == -EPIPE || written == -EFBIG; }

 private:
  void take_back() const {
    constexpr sys::SignalSet kOurs = sys::SignalSet{1} << (SIGPIPE - 1) | sys::SignalSet{1}
                                                                              << (SIGXFSZ - 1);
    const sys::SignalSet raised = kOurs & ~pending_;
    const timespec now{};
    if (raised == 0) return;
    sys::call(SYS_rt_sigtimedwait, sys::arg(&raised), 0, sys::arg(&now), sizeof raised);
  }

  sys::SignalSet pending_ = 0;
  bool raised_ = false;
};

bool is_refused(long result) {
  return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -EPERM;
}

// Another writer may fill the pipe in between; then the line is dropped.
long write_when_ready(int fd, const char* text, std::size_t length) {
  pollfd ready{fd, POLLOUT, 0};
  const timespec now{};
  const long polled = sys::call(SYS_ppoll, sys::arg(&ready), 1, sys::arg(&now), 0);
  if (polled == 0) return -EAGAIN;
  if (polled < 0) return polled;
  return sys::write(fd, text, length);
}

// For pipes without RWF_NOWAIT (FIFOs; all pipes before Linux 6.4): the page itself is moved into
// the pipe if there is room; it is unmapped afterwards, so that nothing can write to it
// (vmsplice(2)).
long splice_page(int fd, const char* text, std::size_t length) {
  void* page = sys::map(PIPE_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (page == nullptr) return -ENOMEM;
  sys::call(SYS_madvise, sys::arg(page), PIPE_BUF, MADV_DONTFORK);
  memcpy(page, text, length);
  const iovec piece{page, length};
  const long written = sys::call(SYS_vmsplice, fd, sys::arg(&piece), 1, SPLICE_F_NONBLOCK);
  sys::unmap(page, PIPE_BUF);
  return written;
}

bool is_terminal(int fd) {
  char settings[256];  // more than the kernel's struct termios
  constexpr long kTcgets = 0x5401;
  return sys::call(SYS_ioctl, fd, kTcgets, sys::arg(settings)) == 0;
}

// A terminal has no RWF_NOWAIT, and is writable when it has room for one byte. So it is opened
// again: the new open file has status flags of its own. /proc/self would be the descriptor table of
// the process, not that of this thread.
long write_to_terminal(int fd, const char* text, std::size_t length) {
  char name[40];
  TextBuffer path(name, sizeof name);
  path.put("/proc/thread-self/fd/").decimal(static_cast<unsigned>(fd)).end();
  const int again = sys::open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (again < 0) return write_when_ready(fd, text, length);
  const long written = sys::write(again, text, length);
  sys::close(again);
  return written;
}

long write_piece(const WriteTarget& target, const char* text, std::size_t length) {
  if (target.nonblocking || S_ISREG(target.mode)) return sys::write(target.fd, text, length);
  const iovec piece{const_cast<char*>(text), length};
  constexpr long kHere = -1;  // at the file's position, as writev(2)
  const long written =
      sys::call(SYS_pwritev2, target.fd, sys::arg(&piece), 1, kHere, kHere, RWF_NOWAIT);
  if (!is_refused(written)) return written;
  long second = -ENOSYS;
  if (S_ISFIFO(target.mode)) {
    second = splice_page(target.fd, text, length);
  } else if (S_ISSOCK(target.mode)) {
    second = sys::call(SYS_sendto, target.fd, sys::arg(text), static_cast<long>(length),
                       MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (S_ISCHR(target.mode) && target.private_table && is_terminal(target.fd)) {
    second = write_to_terminal(target.fd, text, length);
  }
  return is_refused(second) ? write_when_ready(target.fd, text, length) : second;
}

// Writes as many whole lines as a pipe takes at once; a longer line is cut.
std::size_t piece_of(const char* text, std::size_t length) {
  if (length <= PIPE_BUF) return length;
  const auto* end = static_cast<const char*>(memrchr(text, '\n', PIPE_BUF));
  return end != nullptr ? static_cast<std::size_t>(end - text) + 1 : PIPE_BUF;
}

}  // namespace

Written write_quietly(const WriteTarget& target, const char* text, std::size_t length) {
  RaisedSignals signals;
  std::size_t done = 0;
  while (done < length) {
    const std::size_t left = length - done;
    const std::size_t piece = S_ISREG(target.mode) ? left : piece_of(text + done, left);
    const long written = write_piece(target, text + done, piece);
    signals.note(written);
    if (written > 0) done += static_cast<std::size_t>(written);
    if (written == static_cast<long>(piece)) continue;
    return done != 0 && text[done - 1] != '\n' ? Written::torn : Written::none;
  }
  return Written::all;
}

}  // namespace umaskaudit::shim
