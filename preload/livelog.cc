// Formats and writes the live log; see livelog.h.

#include "preload/livelog.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>

#include "preload/descriptor_guard.h"
#include "preload/format_text.h"
#include "preload/libc_names.h"
#include "preload/modules.h"
#include "preload/scratch.h"
#include "preload/symbols.h"
#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

struct Sink {
  bool file;  // else descriptor 2
  std::uint64_t dev;
  std::uint64_t ino;
  char path[Text::kSize];
} sink;

// A FIFO that nobody reads would block for ever.
constexpr int kLogFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

bool identify(int fd, std::uint64_t& dev, std::uint64_t& ino) {
  struct statx facts {};
  if (sys::facts(fd, "", AT_EMPTY_PATH, &facts) != 0) return false;
  dev = std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor;
  ino = facts.stx_ino;
  return true;
}

// The program may have closed descriptor 2 and opened its database there.
bool is_still_stderr() {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  return identify(2, dev, ino) && dev == sink.dev && ino == sink.ino;
}

// A write that cannot hurt: SIGPIPE and SIGXFSZ are blocked, and taken back if it was ours. While
// SIGTTOU is blocked, a background job may write to its terminal, and does not stop (termios(3)).
bool write_quietly(int fd, const char* text, std::size_t length) {
  constexpr sys::SignalSet kOurs = sys::SignalSet{1} << (SIGPIPE - 1) | sys::SignalSet{1}
                                                                            << (SIGXFSZ - 1);
  sys::SignalSet pending = 0;
  const sys::SignalSet old = sys::block_signals(kOurs | sys::SignalSet{1} << (SIGTTOU - 1));
  sys::call(SYS_rt_sigpending, sys::arg(&pending), sizeof pending);
  const long written = sys::write(fd, text, length);
  if (written == -EPIPE || written == -EFBIG) {
    const sys::SignalSet raised = kOurs & ~pending;
    const timespec now{};
    if (raised != 0) {
      sys::call(SYS_rt_sigtimedwait, sys::arg(&raised), 0, sys::arg(&now), sizeof raised);
    }
  }
  sys::restore_signals(old);
  return written == static_cast<long>(length);
}

// Lines of the process in the upper half that could not be written, until one can: a log without
// trace= has no other place for it. A forked child's own.
constinit std::atomic<std::uint64_t> dropped{0};

std::uint64_t own_half() {
  return std::uint64_t{process.pid.load(std::memory_order_relaxed)} << 32;
}

void count_dropped() {
  count_loss(trace::Loss::log_dropped);
  const std::uint64_t own = own_half();
  std::uint64_t seen = dropped.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = (seen >> 32 == own >> 32 ? seen : own) + 1;
  } while (!dropped.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

// Before the next line that can be written.
bool tell_dropped(int fd) {
  std::uint64_t seen = dropped.load(std::memory_order_relaxed);
  const std::uint64_t own = own_half();
  if (seen <= own || seen >> 32 != own >> 32) return true;
  if (!dropped.compare_exchange_strong(seen, 0, std::memory_order_relaxed)) return true;
  char room[96];
  TextBuffer text(room, sizeof room);
  text.put("umaskaudit[").decimal(own >> 32).put("] lines that could not be written before this: ");
  text.decimal(seen - own).put('\n');
  text.end();
  if (write_quietly(fd, text.begin(), text.length())) return true;
  std::uint64_t none = 0;  // where others were dropped meanwhile, these are not told
  dropped.compare_exchange_strong(none, seen, std::memory_order_relaxed);
  return false;
}

void emit(const TextBuffer& text) {
  bool written = false;
  if (sink.file) {
    // Not made again: after a chroot the same name would be a file in somebody's new root.
    const DescriptorGuard guard;
    const int fd = sys::open(sink.path, kLogFlags);
    if (fd >= 0) {
      written = tell_dropped(fd) && write_quietly(fd, text.begin(), text.length());
      sys::close(fd);
    }
  } else if (is_still_stderr()) {
    written = tell_dropped(2) && write_quietly(2, text.begin(), text.length());
  }
  if (!written) count_dropped();
}

// "umaskaudit[123/124 worker] "
void put_author(TextBuffer& text, const Author& author) {
  char name[16] = {};
  sys::call(SYS_prctl, PR_GET_NAME, sys::arg(name));
  text.put("umaskaudit[").decimal(author.pid).put('/').decimal(author.tid).put(' ');
  text.escaped(name, strnlen(name, sizeof name)).put("] ");
}

void put_frame(TextBuffer& text, unsigned number, std::uintptr_t pc) {
  text.put("    #").decimal(number).put(' ');
  Module module;
  if (!find_module(pc - 1, module)) {
    text.put("0x").hex(pc).put(" (generated code)\n");
    return;
  }
  Symbol symbol;
  if (find_symbol(module, pc - 1, symbol)) {
    text.escaped(symbol.name, symbol.length).put("+0x").hex(pc - symbol.start).put(' ');
  }
  text.put('(').escaped(module.path, module.path_length).put("+0x").hex(pc - module.base);
  text.put(")\n");
}

// "0666 & ~0022 = 0644", and what else took part.
void put_derivation(TextBuffer& text, const trace::Create& record, const ParentView& parent) {
  const std::uint32_t final_mode = record.final_mode & 07777;
  text.mode(record.requested);
  const bool dir = record.kind == static_cast<std::uint8_t>(trace::Kind::dir);
  const std::uint32_t honoured = record.requested & (dir ? 01777u : 07777u);
  const std::uint32_t masked = honoured & ~std::uint32_t{record.mask_before};
  if (parent.known && parent.default_acl) {
    text.put(" by the directory's default ACL");
  } else {
    text.put(" & ~").mode(record.mask_before);
  }
  text.put(" = ").mode(final_mode).put(' ').rwx(final_mode);
  if (record.final_mode == 0 || final_mode == masked || (parent.known && parent.default_acl)) {
    return;
  }
  const bool inherited = parent.known && (parent.mode & S_ISGID) != 0;
  if (inherited && final_mode == (masked | S_ISGID)) {
    text.put(" (+2000 inherited from the directory)");
  } else if (record.change_before != record.change_after) {
    text.put(" (the mask moved during the call)");
  } else {
    text.put(" (not by the mask alone)");
  }
}

// For lines that are not the log's. Keeps one byte of the buffer for the newline.
void write_line(TextBuffer& text) {
  text.end();
  char* end = const_cast<char*>(text.begin()) + text.length();
  *end = '\n';
  write_quietly(2, text.begin(), text.length() + 1);
}

}  // namespace

bool log_is_file() {
  const Text& log = process.options.log;
  return !log.empty() && !log.is("stderr") && !log.is("off");
}

void open_log() {
  const Options& options = process.options;
  process.log = false;
  if (options.log.is("off") || (options.log.empty() && !options.trace.empty())) return;
  process.log = true;
  sink.file = log_is_file();
  if (!sink.file) {
    process.log = identify(2, sink.dev, sink.ino);
    return;
  }
  TextBuffer path(sink.path, sizeof sink.path);
  for (const char* c = options.log.bytes; *c != '\0'; ++c) {
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
  int fd = sys::open(sink.path, kLogFlags | O_CREAT | O_EXCL, 0600);
  // The program's umask applies to us too.
  if (fd >= 0) sys::call(SYS_fchmod, fd, 0600);
  if (fd == -EEXIST) fd = sys::open(sink.path, kLogFlags);
  process.log = fd >= 0;
  if (fd < 0) return warn("cannot write to log", sink.path, strlen(sink.path));
  sys::close(fd);
}

void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("umask(").mode(change.argument).put(") ");
  text.mode(change.old_mask).put(' ').rwx(~std::uint32_t{change.old_mask} & 0777).put(" -> ");
  text.mode(change.new_mask).put(' ').rwx(~std::uint32_t{change.new_mask} & 0777);
  if ((author.flags & trace::kDrift) != 0) {
    text.put(" (expected ").mode(change.cached).put(": somebody changed it unseen)");
  }
  text.put('\n');
  for (unsigned i = 0; i < stack.walk.count; ++i) {
    if (text.room() < 1024) break;  // a frame is one path and one name
    put_frame(text, i, stack.pcs[i]);
  }
  emit(text);
}

void log_creation(const Author& author, const Request& request, const trace::Create& record,
                  const char* path, const ParentView& parent) {
  const auto created = static_cast<trace::Created>(record.created);
  if (record.error != 0 || created == trace::Created::no) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put(call_name(request.call)).put('(');
  // A path of 4,095 control bytes is four times as long when escaped; the line stays whole.
  const std::uint32_t shown = record.path_length < 1500 ? record.path_length : 1500;
  text.put('"').escaped(path, shown).put(shown < record.path_length ? "\"..., " : "\", ");
  text.mode(record.requested).put("): ");
  put_derivation(text, record, parent);
  if (created != trace::Created::yes) text.put(" (perhaps made by another process)");
  text.put('\n');
  emit(text);
}

void log_window(const Author& author, const WindowHits& hits) {
  if (hits.count == 0) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("warning: thread ").decimal(hits.setter).put(" held umask ").mode(hits.inside);
  text.put(" for a moment instead of ").mode(hits.outside).put(", and ").decimal(hits.count);
  text.put(hits.count == 1 ? " object" : " objects").put(" of other threads met it: thread ");
  text.decimal(hits.victim).put(" got ").mode(hits.mode).put(" instead of ").mode(hits.expected);
  text.put('\n');
  emit(text);
}

void log_blind_spot(const Author& author, const char* what, const char* text_bytes,
                    std::uint32_t length) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("blind spot: ").put(what).put(": ").escaped(text_bytes, length < 1500 ? length : 1500);
  text.put('\n');
  emit(text);
}

void warn(const char* problem, const char* word, unsigned length) {
  char line[256];
  TextBuffer text(line, sizeof line - 1);
  text.put("umaskaudit: warning: ").put(problem).put(" '").escaped(word, length);
  text.put("' in UMASKAUDIT_OPTIONS; try UMASKAUDIT_OPTIONS=help=1");
  write_line(text);
}

void warn_not_recording(int error) {
  char line[512];
  TextBuffer text(line, sizeof line - 1);
  const char* directory = process.options.trace.bytes;
  text.put("umaskaudit: warning: cannot record into '").escaped(directory, strlen(directory));
  const char* reason = &strerrordesc_np != nullptr ? strerrordesc_np(error) : nullptr;
  text.put("' (");
  if (reason != nullptr) {
    text.put(reason);
  } else {
    text.put("error ").decimal(static_cast<std::uint64_t>(error));
  }
  text.put("); the program goes on unrecorded, try another trace= directory");
  write_line(text);
}

}  // namespace umaskaudit::shim
