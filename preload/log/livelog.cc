// Formats and writes the live log; see livelog.h.

#include "preload/log/livelog.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstring>

#include "preload/log/demangle.h"
#include "preload/log/line_choice.h"
#include "preload/log/log_sink.h"
#include "preload/log/symbols.h"
#include "preload/script/script.h"
#include "preload/stack/modules.h"
#include "preload/sys/format_text.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/real.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr int kStopCode = 66;        // as of ThreadSanitizer, when it has found something
constexpr long kLongestPath = 6000;  // of a directory and a name, of 4,095 bytes each; cut beyond

constexpr std::uint64_t kSecond = 1000000000;

// "11:31:15.123456Z": the time of day at the event, UTC, which needs no file of time zones.
void put_time(TextBuffer& text, const Author& author) {
  const std::uint64_t now = sys::now_ns();
  const std::uint64_t since = author.time_ns != 0 ? now - author.time_ns : 0;
  const std::uint64_t at = sys::now_ns(CLOCK_REALTIME) - since;
  const std::uint64_t second = at / kSecond % 86400;
  text.decimal(second / 3600, 2).put(':').decimal(second / 60 % 60, 2).put(':');
  text.decimal(second % 60, 2).put('.').decimal(at % kSecond / 1000, 6).put('Z');
}

// "umaskaudit[123/124 worker] 11:31:15.123456Z "
[[gnu::noinline]] void put_author(TextBuffer& text, const Author& author) {
  char name[16] = {};
  sys::call(SYS_prctl, PR_GET_NAME, sys::arg(name));
  text.put("umaskaudit[").decimal(author.pid).put('/').decimal(author.tid).put(' ');
  text.escaped(name, strnlen(name, sizeof name)).put("] ");
  put_time(text, author);
  text.put(' ');
}

// Apart, for its frame is large.
[[gnu::noinline]] void put_function(TextBuffer& text, const Module& module, std::uintptr_t pc) {
  Symbol symbol;
  if (!find_symbol(module, pc - 1, symbol)) return;
  put_function_name(text, symbol.name, symbol.length);
  text.put(symbol.cut ? "...+0x" : "+0x");
  text.hex(pc - symbol.start).put(' ');
}

// What the frames of a stack are looked up with.
struct Lookup {
  int self = sys::getpid();
  Scratch buffer;
  Module module;  // that of the frame before: many are neighbours

  bool find(std::uintptr_t pc) {
    if (pc >= module.start && pc < module.end) return true;
    module = {};
    return find_module(pc, self, buffer, module);
  }
};

void put_frame(TextBuffer& text, unsigned number, std::uintptr_t pc, Lookup& lookup) {
  text.put("    #").decimal(number).put(' ');
  if (lookup.buffer.get() == nullptr) {  // nothing to look it up with
    text.put("0x").hex(pc).put('\n');
    return;
  }
  if (!lookup.find(pc - 1)) {
    text.put("0x").hex(pc).put(" (generated code)\n");
    return;
  }
  const Module& module = lookup.module;
  put_function(text, module, pc);
  text.put('(').escaped(module.path, module.path_length).put("+0x").hex(pc - module.base);
  text.put(")\n");
}

// Where the lines of a script go.
struct ScriptLines {
  TextBuffer& text;
  unsigned count = 0;
};

void put_place(TextBuffer& text, const PlaceText& place) {
  if (place.file_length != 0) text.escaped(place.file, place.file_length);
  if (place.line != 0) text.put(':').decimal(place.line);
  if (place.function_length != 0) text.put(' ').escaped(place.function, place.function_length);
}

bool put_script_frame(void* to, const PlaceText& place) {
  auto& lines = *static_cast<ScriptLines*>(to);
  if (lines.text.room() < 2048) return false;
  lines.text.put("    @").decimal(lines.count++).put(' ');
  put_place(lines.text, place);
  lines.text.put('\n');
  return true;
}

bool has_at(const PlaceText& place, std::uint32_t at, const char* text, std::uint32_t length) {
  return place.file_length - at >= length && memcmp(place.file + at, text, length) == 0;
}

// Of the runtime, not of its user: what is part of the interpreter, or of its standard library.
bool is_library(const PlaceText& place) {
  constexpr char kNode[] = "node:";
  constexpr char kPython[] = "/lib/python";
  if (place.file_length == 0 || place.file[0] == '<') return true;
  for (std::uint32_t at = 0; at < place.file_length; ++at) {
    if (has_at(place, at, kPython, sizeof kPython - 1)) return true;
  }
  return has_at(place, 0, kNode, sizeof kNode - 1);
}

bool put_first_of_user(void* to, const PlaceText& place) {
  if (is_library(place)) return true;
  auto& text = *static_cast<TextBuffer*>(to);
  if (text.room() < 2048) return false;
  text.put(" at ");
  put_place(text, place);
  return false;
}

// Signals are blocked: a handler that jumped out would leave a file in use (symbols.h).
void put_frames(TextBuffer& text, const CapturedStack& stack, const sys::WithoutSignals&) {
  if (stack.script != nullptr) {
    ScriptLines lines{text};
    show_script(*stack.script, put_script_frame, &lines);
  }
  if (stack.walk.count == 0) return;
  Lookup lookup;
  for (unsigned i = 0; i < stack.walk.count; ++i) {
    if (text.room() < 1024) break;  // a frame is one path and one name
    put_frame(text, i, stack.pcs[i], lookup);
  }
}

// Names of POSIX IPC begin with a slash and lie in no directory.
bool is_relative(const trace::Create& record, const char* path) {
  return record.path_length != 0 && path[0] != '/' &&
         record.kind != static_cast<std::uint8_t>(trace::Kind::mqueue) &&
         record.kind != static_cast<std::uint8_t>(trace::Kind::sem);
}

// The path from the root, where /proc tells what it begins at; else as it is. A file's name is
// looked for in a log by all of it.
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

// "0666 & ~0022 = 0644", and what else took part.
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

void log_mask_change(const Author& author, const trace::Umask& change, const CapturedStack& stack) {
  const bool drift = (author.flags & trace::kDrift) != 0;
  const bool each = process.options.log_repeats || drift;
  const std::uint64_t times = each ? 1 : count_change(author, change, stack);
  if (!is_told(times)) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped_line();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("umask(").mode(change.argument).put(") ");
  text.mode(change.old_mask).put(' ').rwx(~std::uint32_t{change.old_mask} & 0777).put(" -> ");
  text.mode(change.new_mask).put(' ').rwx(~std::uint32_t{change.new_mask} & 0777);
  if (drift) {
    text.put(" (expected ").mode(change.cached).put(": somebody changed it unseen)");
  }
  if (times > 1) text.put(" (").decimal(times).put(" times from the same place)");
  text.put('\n');
  const sys::WithoutSignals blocked;
  if (times == 1) put_frames(text, stack, blocked);
  emit_lines(text, blocked);
}

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
  put_author(text, author);
  text.put(call_name(static_cast<Call>(record.call))).put('(');
  // A path of 4,095 control bytes is four times as long when escaped; the line stays whole.
  const std::uint32_t shown = whole.length < 1500 ? whole.length : 1500;
  text.put('"').escaped(whole.bytes, shown).put(shown < whole.length ? "\"..., " : "\", ");
  text.mode(record.requested).put("): ");
  put_derivation(text, record, parent);
  if (created != trace::Created::yes) text.put(" (perhaps made by another process)");
  const sys::WithoutSignals blocked;
  if (stack.script != nullptr) show_script(*stack.script, put_first_of_user, &text);
  text.put('\n');
  emit_lines(text, blocked);
}

namespace {

// With the default action: a handler of the program's would go on.
[[gnu::noinline]] void stop_by(int signal) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action{SIG_DFL, 0, nullptr, 0};  // the kernel's struct sigaction (rt_sigaction(2))
  // A debugger sees SIGTRAP before any handler, and none of its own breakpoints is undone.
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

void log_window(const Author& author, const WindowHits& hits) {
  if (hits.count == 0) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) {
    count_dropped_line();
    return stop();
  }
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("warning: thread ")
      .decimal(hits.setter)
      .put(" temporarily set umask ")
      .mode(hits.inside);
  text.put(" instead of ").mode(hits.outside).put(": ").decimal(hits.count);
  text.put(hits.count == 1 ? " object" : " objects");
  text.put(" created by other threads got the wrong mode: thread ");
  text.decimal(hits.victim).put(" got ").mode(hits.mode).put(" instead of ").mode(hits.expected);
  text.put('\n');
  if (process.log) {
    emit_lines(text, sys::WithoutSignals());
  } else {
    write_to_stderr(text);
  }
  stop();
}

void log_blind_spot(const Author& author, const char* what, const char* text_bytes,
                    std::uint32_t length) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return count_dropped_line();
  TextBuffer text(scratch.get(), Scratch::kSize);
  put_author(text, author);
  text.put("blind spot: ").put(what).put(": ").escaped(text_bytes, length < 1500 ? length : 1500);
  text.put('\n');
  emit_lines(text, sys::WithoutSignals());
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
