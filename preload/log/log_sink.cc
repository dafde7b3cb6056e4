// Opens, checks and writes the live log; see log_sink.h.

#include "preload/log/log_sink.h"

#include <errno.h>
#include <sys/stat.h>

#include <atomic>

#include "preload/log/live_log.h"
#include "preload/log/log_fields.h"
#include "preload/log/log_socket.h"
#include "preload/log/log_time.h"
#include "preload/log/quiet_write.h"
#include "preload/record/recorder.h"
#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

struct Sink {
  LogPlace place;
  std::uint64_t dev;
  std::uint64_t ino;
  std::uint32_t owner;     // the user, besides root, that must own the log file
  char path[Text::kSize];  // of the file or the socket
} sink;

// A FIFO without a reader would block forever.
constexpr int kLogFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

bool identify(int fd, struct statx& facts) {
  return sys::facts(fd, "", AT_EMPTY_PATH, &facts) == 0;
}

std::uint64_t device_of(const struct statx& facts) {
  return std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor;
}

// In a directory such as /tmp another user may have put a file, or a link to a file of ours, under
// the log's name. Devices are not owned by anyone in particular.
bool is_ours(const struct statx& facts) {
  if (S_ISCHR(facts.stx_mode)) return true;
  if (!S_ISREG(facts.stx_mode) && !S_ISFIFO(facts.stx_mode)) return false;
  if (facts.stx_uid != sink.owner && facts.stx_uid != 0) return false;
  return S_ISFIFO(facts.stx_mode) || facts.stx_nlink <= 1;
}

// Lines that could not be written, with the process in the upper half, until one can be: without
// trace= they are counted nowhere else. A forked child has a count of its own.
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

// Writes the number of dropped lines, in the form of the log.
[[gnu::noinline]] void put_dropped(TextBuffer& text, std::uint64_t count) {
  const std::uint64_t pid = own_half() >> 32;
  if (sink.place == LogPlace::journal || process.options.log_format == LogFormat::text) {
    if (sink.place == LogPlace::journal)
      text.put("PRIORITY=4\nSYSLOG_IDENTIFIER=umaskaudit\nMESSAGE=");
    if (sink.place != LogPlace::syslog) text.put("umaskaudit[").decimal(pid).put("] ");
    text.put("lines that could not be written before this: ").decimal(count).put('\n');
  }
  if (sink.place == LogPlace::journal) {
    Fields(text, Fields::Form::journal).word("type", "loss").number("lines", count);
  } else if (process.options.log_format == LogFormat::json) {
    Fields fields(text, Fields::Form::json);
    fields.open(nullptr, '{').word("type", "loss").number("pid", pid).number("lines", count);
    fields.close('}');
    text.put('\n');
  }
}

// Called before the next line that can be written, by `write`.
template <typename Write>
bool tell_dropped(Write write) {
  std::uint64_t seen = dropped.load(std::memory_order_relaxed);
  const std::uint64_t own = own_half();
  if (seen <= own || seen >> 32 != own >> 32) return true;
  if (!dropped.compare_exchange_strong(seen, 0, std::memory_order_relaxed)) return true;
  char room[192];
  TextBuffer text(room, sizeof room);
  const bool unfinished = torn.exchange(false, std::memory_order_relaxed);
  if (unfinished) text.put('\n');
  put_dropped(text, seen - own);
  if (write(text)) return true;
  if (unfinished) torn.store(true, std::memory_order_relaxed);
  std::uint64_t none = 0;  // lines that are dropped meanwhile keep the count
  dropped.compare_exchange_strong(none, seen, std::memory_order_relaxed);
  return false;
}

bool tell_dropped(const WriteTarget& target) {
  return tell_dropped([&](const TextBuffer& text) { return write_whole(target, text); });
}

struct Emission {
  const TextBuffer& text;
  const sys::WithoutSignals& blocked;
  Urgency urgency;
  bool private_table;
  bool written = false;
};

// The program may have closed descriptor 2 and opened another file there.
void write_to_program(Emission& emission) {
  struct statx facts {};
  if (!identify(2, facts) || device_of(facts) != sink.dev || facts.stx_ino != sink.ino) return;
  const WriteTarget target{emission.blocked, 2, facts.stx_mode, false, emission.private_table};
  emission.written = tell_dropped(target) && write_whole(target, emission.text);
}

// Not created again: after a chroot(2) the same name would be a file in the new root.
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

// A syslog(3) message. `text` is one line.
bool send_to_syslog(const LogSocket& socket, const TextBuffer& text, Urgency urgency) {
  constexpr unsigned kUser = 1 << 3;  // the facility of programs
  char room[64];
  TextBuffer head(room, sizeof room);
  head.put('<').decimal(kUser | static_cast<unsigned>(urgency)).put('>');
  put_syslog_time(head, sys::now_ns(CLOCK_REALTIME));
  head.put(" umaskaudit[").decimal(own_half() >> 32).put("]: ");
  return socket.send(head.begin(), head.length(), text.begin(), text.length() - 1);
}

[[gnu::noinline]] void write_to_socket(Emission& emission) {
  const bool syslog = sink.place == LogPlace::syslog;
  const LogSocket socket(sink.path, syslog);
  const auto write = [&](const TextBuffer& text, Urgency urgency) {
    if (syslog) return send_to_syslog(socket, text, urgency);
    return socket.send("", 0, text.begin(), text.length());
  };
  emission.written =
      socket.error() == 0 &&
      tell_dropped([&](const TextBuffer& text) { return write(text, Urgency::warning); }) &&
      write(emission.text, emission.urgency);
}

void emit(void* argument) {
  auto& emission = *static_cast<Emission*>(argument);
  switch (sink.place) {
    case LogPlace::program:
      return write_to_program(emission);
    case LogPlace::file:
      return write_to_file(emission);
    case LogPlace::syslog:
    case LogPlace::journal:
      return write_to_socket(emission);
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

void try_socket(void* argument) {
  auto& opening = *static_cast<Opening*>(argument);
  opening.error = LogSocket(sink.path, sink.place == LogPlace::syslog).error();
  opening.problem = "no daemon listens at the socket of log=:";
}

void name_socket() {
  constexpr char kSyslog[] = "/dev/log";
  constexpr char kJournal[] = "/run/systemd/journal/socket";
  const Text& other = process.options.log_socket;
  TextBuffer path(sink.path, sizeof sink.path);
  path.put(!other.empty() ? other.bytes : sink.place == LogPlace::syslog ? kSyslog : kJournal);
  path.end();
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

LogPlace place_of(const Text& log) {
  if (log.empty() || log.is("off") || log.is("stderr") || log.is("/dev/stderr") ||
      log.is("/proc/self/fd/2"))
    return LogPlace::program;
  if (log.is("syslog")) return LogPlace::syslog;
  return log.is("journald") ? LogPlace::journal : LogPlace::file;
}

// A daemon queues few messages: an event is sent as one, with its frames, and without newlines,
// which some daemons escape.
void join_lines(TextBuffer& text) {
  char* const begin = const_cast<char*>(text.begin());
  for (char* at = begin; at + 1 < begin + text.length(); ++at) {
    if (*at == '\n') *at = ' ';
  }
}

void end_with_newline(TextBuffer& text) {
  if (text.overflow()) const_cast<char*>(text.begin())[text.length() - 1] = '\n';
}

}  // namespace

LogPlace log_place() { return sink.place; }

bool log_is_file() { return place_of(process.options.log) == LogPlace::file; }

void open_log() {
  const Options& options = process.options;
  process.log = false;
  if (options.log.is("off") || (options.log.empty() && !options.trace.empty())) return;
  sink.place = place_of(options.log);
  if (sink.place == LogPlace::program) {
    struct statx facts {};
    process.log = identify(2, facts);
    sink.dev = device_of(facts);
    sink.ino = facts.stx_ino;
    return;
  }
  Opening opening;
  if (sink.place == LogPlace::file) {
    name_file(options.log.bytes);
    sink.owner = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  } else {
    name_socket();
  }
  const auto open = sink.place == LogPlace::file ? open_file : try_socket;
  process.log = run_in_own_table(open, &opening) && opening.error == 0;
  if (!process.log) warn(opening.problem, sink.path, strlen(sink.path));
}

void emit_lines(TextBuffer& text, const sys::WithoutSignals& blocked, Urgency urgency) {
  // A partial object or journal entry would be useless.
  const bool lines =
      sink.place != LogPlace::journal && process.options.log_format == LogFormat::text;
  if (!lines && text.overflow()) return count_dropped_line();
  end_with_newline(text);
  if (sink.place == LogPlace::syslog) join_lines(text);
  const bool program = sink.place == LogPlace::program;
  Emission emission{text, blocked, urgency, true};
  if (!run_in_own_table(emit, &emission, blocked, program ? 2 : -1) && program) {
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
