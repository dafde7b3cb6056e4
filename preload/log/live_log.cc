// Formats and writes the live log; see live_log.h.

#include "preload/log/live_log.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstring>

#include "preload/log/line_choice.h"
#include "preload/log/log_fields.h"
#include "preload/log/log_frames.h"
#include "preload/log/log_sink.h"
#include "preload/log/log_time.h"
#include "preload/sys/format_text.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/real.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr int kStopCode = 66;        // the code of ThreadSanitizer after a finding
constexpr long kLongestPath = 6000;  // a directory and a name of 4,095 bytes each; cut beyond

// CLOCK_REALTIME at the event.
std::uint64_t real_time(const Author& author) {
  const std::uint64_t since = author.time_ns != 0 ? sys::now_ns() - author.time_ns : 0;
  return sys::now_ns(CLOCK_REALTIME) - since;
}

struct ThreadName {
  char bytes[16] = {};
  ThreadName() { sys::call(SYS_prctl, PR_GET_NAME, sys::arg(bytes)); }
  std::uint32_t length() const { return static_cast<std::uint32_t>(strnlen(bytes, sizeof bytes)); }
};

// "umaskaudit[123/124 worker] 11:31:15.123456Z "; daemons add program, process and time themselves.
[[gnu::noinline]] void put_author(TextBuffer& text, const Author& author) {
  const ThreadName name;
  const LogPlace place = log_place();
  if (place == LogPlace::syslog || place == LogPlace::journal) {
    text.put('[').decimal(author.tid).put(' ').escaped(name.bytes, name.length()).put("] ");
    return;
  }
  text.put("umaskaudit[").decimal(author.pid).put('/').decimal(author.tid).put(' ');
  text.escaped(name.bytes, name.length()).put("] ");
  put_time_of_day(text, real_time(author));
  text.put(' ');
}

[[gnu::noinline]] void add_author(Fields& fields, const Author& author, const char* type) {
  fields.word("type", type).time("time", real_time(author));
  fields.number("pid", author.pid).number("tid", author.tid);
  const ThreadName name;
  fields.bytes("thread", name.bytes, name.length(), 100);
}

// The form of a log line: text, a JSON object, or an entry of the journal, whose message is the
// text.
bool has_object() { return process.options.log_format == LogFormat::json; }
bool is_entry() { return log_place() == LogPlace::journal; }

void begin_message(TextBuffer& text, Urgency urgency) {
  if (!is_entry()) return;
  text.put("PRIORITY=").decimal(static_cast<unsigned>(urgency));
  text.put("\nSYSLOG_IDENTIFIER=umaskaudit\nMESSAGE=");
}

// A journal entry has room for more of a path than its message does.
std::uint32_t shown_of_path(std::uint32_t length) {
  const std::uint32_t most = is_entry() ? 400 : 1500;
  return length < most ? length : most;
}

// POSIX IPC names begin with a slash and are in no directory.
bool is_relative(const trace::Create& record, const char* path) {
  return record.path_length != 0 && path[0] != '/' &&
         record.kind != static_cast<std::uint8_t>(trace::Kind::mqueue) &&
         record.kind != static_cast<std::uint8_t>(trace::Kind::sem);
}

// The absolute path, where /proc names the directory that it starts from; else the path as passed.
// People search a log for the whole name of a file.
struct WholePath {
  char bytes[kLongestPath + 1];
  std::uint32_t length;
};
[[gnu::noinline]] void make_whole(const trace::Create& record, const char* path, int dirfd,
                                  WholePath& whole) {
  TextBuffer out(whole.bytes, sizeof whole.bytes);
  if (is_relative(record, path) && !sys::is_barred(SYS_readlinkat)) {
    char link[48];
    TextBuffer name(link, sizeof link);
    if (dirfd == AT_FDCWD) {
      name.put("/proc/thread-self/cwd");
    } else {
      name.put("/proc/thread-self/fd/").decimal(static_cast<unsigned>(dirfd));
    }
    name.end();
    const long length =
        sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link), sys::arg(whole.bytes), kLongestPath);
    const bool known = length > 0 && length < kLongestPath && whole.bytes[0] == '/';
    if (known)
      out = TextBuffer(whole.bytes + length, sizeof whole.bytes - static_cast<std::size_t>(length));
    if (known && length != 1) out.put('/');
  }
  out.put(path, record.path_length < kLongestPath ? record.path_length : kLongestPath);
  whole.length = static_cast<std::uint32_t>(out.begin() + out.length() - whole.bytes);
}

// "0666 & ~0022 = 0644", and what else contributed to the mode.
[[gnu::noinline]] void put_derivation(TextBuffer& text, const trace::Create& record,
                                      const ParentView& parent) {
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

}  // namespace

namespace {

struct Change {
  const trace::Umask& change;
  bool drift;
  std::uint64_t times;
};

[[gnu::noinline]] void put_change(TextBuffer& text, const Change& shown) {
  const trace::Umask& change = shown.change;
  text.put("umask(").mode(change.argument).put(") ");
  text.mode(change.old_mask).put(' ').rwx(~std::uint32_t{change.old_mask} & 0777).put(" -> ");
  text.mode(change.new_mask).put(' ').rwx(~std::uint32_t{change.new_mask} & 0777);
  if (shown.drift) {
    text.put(" (expected ").mode(change.cached).put(": it was changed unseen)");
  }
  if (shown.times > 1) text.put(" (").decimal(shown.times).put(" times from the same place)");
  text.put('\n');
}

[[gnu::noinline]] void add_change(Fields& fields, const Author& author, const Change& shown) {
  add_author(fields, author, "umask");
  fields.mode("argument", shown.change.argument);
  fields.mode("old", shown.change.old_mask).mode("new", shown.change.new_mask);
  if (shown.drift) fields.mode("cached", shown.change.cached);
  if (shown.times > 1) fields.number("times", shown.times);
}

[[gnu::noinline]] void compose_change(TextBuffer& text, const Author& author, const Change& shown,
                                      const CapturedStack& stack,
                                      const sys::WithoutSignals& blocked) {
  const bool frames = shown.times == 1;
  begin_message(text, Urgency::info);
  if (has_object()) {
    Fields object(text, Fields::Form::json);
    object.open(nullptr, '{');
    add_change(object, author, shown);
    if (frames && !is_entry()) add_frames(object, text, stack, blocked);
    object.close('}');
    text.put('\n');
  } else {
    put_author(text, author);
    put_change(text, shown);
    if (frames && !is_entry()) put_frames(text, stack, blocked);
  }
  if (is_entry()) {
    Fields entry(text, Fields::Form::journal);
    add_change(entry, author, shown);
    if (frames && (stack.script != nullptr || stack.walk.count != 0)) {
      const std::size_t begin = entry.begin_lines("stack");
      put_frames(text, stack, blocked);
      entry.end_lines(begin);
    }
  }
}

}  // namespace

void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack) {
  const bool drift = (author.flags & trace::kDrift) != 0;
  const bool each = process.options.log_repeats || drift;
  const std::uint64_t times = each ? 1 : count_change(author, change, stack);
  if (!is_told(times)) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped_line();
  TextBuffer text(scratch.get(), Scratch::kSize);
  const Change shown{change, drift, times};
  const sys::WithoutSignals blocked;
  compose_change(text, author, shown, stack, blocked);
  emit_lines(text, blocked);
}

namespace {

struct Creation {
  const trace::Create& record;
  const WholePath& path;
  const ParentView& parent;
  bool perhaps() const { return record.created != static_cast<std::uint8_t>(trace::Created::yes); }
};

[[gnu::noinline]] void put_creation(TextBuffer& text, const Creation& made) {
  const trace::Create& record = made.record;
  text.put(call_name(static_cast<Call>(record.call))).put('(');
  // A path of 4,095 control bytes is four times as long when escaped; it still fits in one line.
  const std::uint32_t shown = shown_of_path(made.path.length);
  text.put('"').escaped(made.path.bytes, shown);
  text.put(shown < made.path.length ? "\"..., " : "\", ").mode(record.requested).put("): ");
  put_derivation(text, record, made.parent);
  if (made.perhaps()) text.put(" (perhaps made by another process)");
}

[[gnu::noinline]] void add_creation(Fields& fields, const Author& author, const Creation& made) {
  constexpr std::uint32_t kMostPath = 3000;
  const trace::Create& record = made.record;
  const bool acl = made.parent.known && made.parent.default_acl;
  add_author(fields, author, "create");
  fields.word("call", call_name(static_cast<Call>(record.call)));
  fields.bytes("path", made.path.bytes, made.path.length, kMostPath);
  fields.mode("requested", record.requested).mode("mask", record.mask_before);
  fields.mode("final", record.final_mode & 07777);
  if (acl) fields.yes("default_acl");
  if (made.perhaps()) fields.yes("perhaps");
}

// Not inlined, so that its frame is released before lines are written.
[[gnu::noinline]] void compose_creation(TextBuffer& text, const Author& author,
                                        const Creation& made, const CapturedStack& stack,
                                        const sys::WithoutSignals& blocked) {
  begin_message(text, Urgency::info);
  if (has_object()) {
    Fields object(text, Fields::Form::json);
    object.open(nullptr, '{');
    add_creation(object, author, made);
    add_user_place(object, text, stack, blocked);
    object.close('}');
  } else {
    put_author(text, author);
    put_creation(text, made);
    put_user_place(text, stack, blocked);
  }
  text.put('\n');
  if (!is_entry()) return;
  Fields entry(text, Fields::Form::journal);
  add_creation(entry, author, made);
}

}  // namespace

void log_creation(const Author& author, const trace::Create& record, const char* path, int dirfd,
                  const ParentView& parent, const CapturedStack& stack) {
  const auto created = static_cast<trace::Created>(record.created);
  if (record.error != 0 || created == trace::Created::no) return;
  const Scratch scratch;
  const Scratch other;
  if (scratch.get() == nullptr || other.get() == nullptr) return count_dropped_line();
  auto& whole = *reinterpret_cast<WholePath*>(other.get());
  make_whole(record, path, dirfd, whole);
  const char* const pattern = process.options.log_path.bytes;
  if (pattern[0] != '\0' && !matches(pattern, whole.bytes, whole.length)) return;
  TextBuffer text(scratch.get(), Scratch::kSize);
  const Creation made{record, whole, parent};
  const sys::WithoutSignals blocked;
  compose_creation(text, author, made, stack, blocked);
  emit_lines(text, blocked);
}

namespace {

// Sets the default action first, because a handler of the program's would survive the signal.
[[gnu::noinline]] void stop_by(int signal) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action{SIG_DFL, 0, nullptr, 0};  // the kernel's struct sigaction (rt_sigaction(2))
  // A debugger sees SIGTRAP before any handler of the program.
  if (signal == SIGABRT)
    sys::call(SYS_rt_sigaction, signal, sys::arg(&action), 0, sizeof action.mask);
  const unsigned long only = 1ul << (signal - 1);
  sys::call(SYS_rt_sigprocmask, SIG_UNBLOCK, sys::arg(&only), 0, sizeof only);
  sys::call(SYS_tgkill, sys::getpid(), sys::gettid(), signal);
}

void stop() {
  switch (process.options.stop_on_overlap) {
    case Stop::no:
      return;
    case Stop::trap:
      return stop_by(SIGTRAP);
    case Stop::abort:
      return stop_by(SIGABRT);
    case Stop::exit:
      sys::call(SYS_exit_group, kStopCode);
  }
}

}  // namespace

namespace {

[[gnu::noinline]] void put_hits(TextBuffer& text, const WindowHits& hits) {
  text.put("warning: thread ").decimal(hits.setter);
  text.put(" temporarily set umask ").mode(hits.inside);
  text.put(" instead of ").mode(hits.outside).put(": ").decimal(hits.count);
  text.put(hits.count == 1 ? " object" : " objects");
  text.put(" created by other threads got the wrong mode: thread ");
  text.decimal(hits.victim).put(" got ").mode(hits.mode).put(" instead of ").mode(hits.expected);
}

[[gnu::noinline]] void add_hits(Fields& fields, const Author& author, const WindowHits& hits) {
  add_author(fields, author, "overlap");
  fields.number("setter", hits.setter).mode("inside", hits.inside).mode("outside", hits.outside);
  fields.number("objects", hits.count).number("victim", hits.victim).mode("final", hits.mode);
  fields.mode("expected", hits.expected);
}

struct BlindSpot {
  const char* what;
  const char* text;
  std::uint32_t length;
};

[[gnu::noinline]] void put_blind_spot(TextBuffer& text, const BlindSpot& spot) {
  text.put("blind spot: ").put(spot.what).put(": ");
  text.escaped(spot.text, shown_of_path(spot.length));
}

[[gnu::noinline]] void add_blind_spot(Fields& fields, const Author& author, const BlindSpot& spot) {
  add_author(fields, author, "blind_spot");
  fields.word("reason", spot.what).bytes("text", spot.text, spot.length, 3000);
}

// Logs an event that is one line.
template <typename Facts>
void put_event(TextBuffer& text, const Author& author, const Facts& facts,
               void (*put)(TextBuffer&, const Facts&),
               void (*add)(Fields&, const Author&, const Facts&)) {
  begin_message(text, Urgency::warning);
  if (has_object()) {
    Fields object(text, Fields::Form::json);
    object.open(nullptr, '{');
    add(object, author, facts);
    object.close('}');
  } else {
    put_author(text, author);
    put(text, facts);
  }
  text.put('\n');
  if (is_entry()) {
    Fields entry(text, Fields::Form::journal);
    add(entry, author, facts);
  }
}

}  // namespace

void log_window(const Author& author, const WindowHits& hits) {
  if (hits.count == 0) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) {
    count_dropped_line();
    return stop();
  }
  TextBuffer text(scratch.get(), Scratch::kSize);
  if (process.log) {
    put_event(text, author, hits, put_hits, add_hits);
    emit_lines(text, sys::WithoutSignals(), Urgency::warning);
  } else {
    put_author(text, author);
    put_hits(text, hits);
    write_to_stderr(text.put('\n'));
  }
  stop();
}

void log_blind_spot(const Author& author, const char* what, const char* text_bytes,
                    std::uint32_t length) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped_line();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_event(text, author, BlindSpot{what, text_bytes, length}, put_blind_spot, add_blind_spot);
  emit_lines(text, sys::WithoutSignals(), Urgency::warning);
}

void warn(const char* problem, const char* word, unsigned length) {
  char line[256];
  TextBuffer text(line, sizeof line);
  text.put("umaskaudit: warning: ").put(problem).put(" '").escaped(word, length);
  text.put("' in UMASKAUDIT_OPTIONS; try UMASKAUDIT_OPTIONS=help=1\n");
  write_to_stderr(text);
}

void warn_not_recording(int error) {
  char line[512];
  TextBuffer text(line, sizeof line);
  const char* directory = process.options.trace.bytes;
  text.put("umaskaudit: warning: cannot record into '").escaped(directory, strlen(directory));
  const char* reason = &strerrordesc_np != nullptr ? strerrordesc_np(error) : nullptr;
  text.put("' (");
  if (reason != nullptr) {
    text.put(reason);
  } else {
    text.put("error ").decimal(static_cast<std::uint64_t>(error));
  }
  text.put("); the program goes on unrecorded, try another trace= directory\n");
  write_to_stderr(text);
}

}  // namespace umaskaudit::shim
