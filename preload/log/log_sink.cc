// Opens, checks and writes the live log; see log_sink.h.

#include "preload/log/log_sink.h"

#include <errno.h>
#include <sys/stat.h>

#include <atomic>

#include "preload/log/livelog.h"
#include "preload/log/quiet_write.h"
#include "preload/record/recorder.h"
#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

struct Sink {
  bool file;  // else descriptor 2
  std::uint64_t dev;
  std::uint64_t ino;
  std::uint32_t owner;  // of what we write to, besides root
  char path[Text::kSize];
} sink;

// A FIFO that nobody reads would block for ever.
constexpr int kLogFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

bool identify(int fd, struct statx& facts) {
  return sys::facts(fd, "", AT_EMPTY_PATH, &facts) == 0;
}

std::uint64_t device_of(const struct statx& facts) {
  return std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor;
}

// In a directory such as /tmp other users may have put a file of theirs, or another name of a file
// of ours, where the log is meant to be. Devices are there for everybody.
bool is_ours(const struct statx& facts) {
  if (S_ISCHR(facts.stx_mode)) return true;
  if (!S_ISREG(facts.stx_mode) && !S_ISFIFO(facts.stx_mode)) return false;
  if (facts.stx_uid != sink.owner && facts.stx_uid != 0) return false;
  return S_ISFIFO(facts.stx_mode) || facts.stx_nlink <= 1;
}

// Lines of the process in the upper half that could not be written, until one can: a log without
// trace= has no other place for it. A forked child's own.
constinit std::atomic<std::uint64_t> dropped{0};
constinit std::atomic<bool> torn{false};  // the last line that was written has no end

std::uint64_t own_half() {
  return std::uint64_t{process.pid.load(std::memory_order_relaxed)} << 32;
}

bool write_whole(const WriteTarget& target, const TextBuffer& text) {
  const Written written = write_quietly(target, text.begin(), text.length());
  if (written == Written::torn) torn.store(true, std::memory_order_relaxed);
  return written == Written::all;
}

// Before the next line that can be written.
bool tell_dropped(const WriteTarget& target) {
  std::uint64_t seen = dropped.load(std::memory_order_relaxed);
  const std::uint64_t own = own_half();
  if (seen <= own || seen >> 32 != own >> 32) return true;
  if (!dropped.compare_exchange_strong(seen, 0, std::memory_order_relaxed)) return true;
  char room[96];
  TextBuffer text(room, sizeof room);
  const bool unfinished = torn.exchange(false, std::memory_order_relaxed);
  if (unfinished) text.put('\n');
  text.put("umaskaudit[").decimal(own >> 32).put("] lines that could not be written before this: ");
  text.decimal(seen - own).put('\n');
  if (write_whole(target, text)) return true;
  if (unfinished) torn.store(true, std::memory_order_relaxed);
  std::uint64_t none = 0;  // where others were dropped meanwhile, these are not told
  dropped.compare_exchange_strong(none, seen, std::memory_order_relaxed);
  return false;
}

struct Emission {
  const TextBuffer& text;
  const sys::WithoutSignals& blocked;
  bool private_table;
  bool written = false;
};

// The program may have closed descriptor 2 and opened its database there.
void write_to_program(Emission& emission) {
  struct statx facts {};
  if (!identify(2, facts) || device_of(facts) != sink.dev || facts.stx_ino != sink.ino) return;
  const WriteTarget target{emission.blocked, 2, facts.stx_mode, false, emission.private_table};
  emission.written = tell_dropped(target) && write_whole(target, emission.text);
}

// Not made again: after a chroot the same name would be a file in somebody's new root.
void write_to_file(Emission& emission) {
  const int fd = sys::open(sink.path, kLogFlags);
  if (fd < 0) return;
  struct statx facts {};
  if (identify(fd, facts) && is_ours(facts)) {
    const WriteTarget target{emission.blocked, fd, facts.stx_mode, true, emission.private_table};
    emission.written = tell_dropped(target) && write_whole(target, emission.text);
  }
  sys::close(fd);
}

void emit(void* argument) {
  auto& emission = *static_cast<Emission*>(argument);
  if (sink.file) {
    write_to_file(emission);
  } else {
    write_to_program(emission);
  }
}

struct Opening {
  int error = 0;
  const char* problem = "cannot write to log";
};

// `argument`: an Opening.
void open_file(void* argument) {
  auto& opening = *static_cast<Opening*>(argument);
  int fd = sys::open(sink.path, kLogFlags | O_CREAT | O_EXCL, 0600);
  // The program's umask applies to us too.
  if (fd >= 0) sys::call(SYS_fchmod, fd, 0600);
  if (fd == -EEXIST) fd = sys::open(sink.path, kLogFlags);
  opening.error = fd < 0 ? -fd : 0;
  if (fd == -ELOOP) opening.problem = "log= is a symbolic link:";
  if (fd < 0) return;
  struct statx facts {};
  if (!identify(fd, facts) || !is_ours(facts)) {
    opening.error = EPERM;
    opening.problem = "log= is another user's file, or one with several names:";
  }
  sys::close(fd);
}

void name_file(const char* pattern) {
  TextBuffer path(sink.path, sizeof sink.path);
  for (const char* c = pattern; *c != '\0'; ++c) {
    if (c[0] == '%' && c[1] == 'p') {
      path.decimal(process.pid.load(std::memory_order_relaxed));
      ++c;
    } else if (c[0] == '%' && c[1] == 'c') {
      path.put(process.comm);
      ++c;
    } else {
      path.put(*c);
    }
  }
  path.end();
}

bool means_stderr(const Text& log) {
  return log.empty() || log.is("stderr") || log.is("/dev/stderr") || log.is("/proc/self/fd/2");
}

void end_with_newline(TextBuffer& text) {
  if (text.overflow()) const_cast<char*>(text.begin())[text.length() - 1] = '\n';
}

}  // namespace

bool log_is_file() {
  const Text& log = process.options.log;
  return !means_stderr(log) && !log.is("off");
}

void open_log() {
  const Options& options = process.options;
  process.log = false;
  if (options.log.is("off") || (options.log.empty() && !options.trace.empty())) return;
  sink.file = log_is_file();
  if (!sink.file) {
    struct statx facts {};
    process.log = identify(2, facts);
    sink.dev = device_of(facts);
    sink.ino = facts.stx_ino;
    return;
  }
  name_file(options.log.bytes);
  sink.owner = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  Opening opening;
  process.log = run_in_own_table(open_file, &opening) && opening.error == 0;
  if (!process.log) warn(opening.problem, sink.path, strlen(sink.path));
}

void emit_lines(TextBuffer& text, const sys::WithoutSignals& blocked) {
  end_with_newline(text);
  Emission emission{text, blocked, true};
  if (!run_in_own_table(emit, &emission, blocked, sink.file ? -1 : 2) && !sink.file) {
    emission.private_table = false;
    write_to_program(emission);
  }
  if (!emission.written) count_dropped_line();
}

void count_dropped_line() {
  count_loss(trace::Loss::log_dropped);
  const std::uint64_t own = own_half();
  std::uint64_t seen = dropped.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = (seen >> 32 == own >> 32 ? seen : own) + 1;
  } while (!dropped.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

void write_to_stderr(TextBuffer& text) {
  end_with_newline(text);
  struct statx facts {};
  if (!identify(2, facts)) return;
  const sys::WithoutSignals blocked;
  write_quietly({blocked, 2, facts.stx_mode, false, false}, text.begin(), text.length());
}

}  // namespace umaskaudit::shim
