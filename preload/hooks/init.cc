// Starts the shim, and starts it again in forked children.
// Must never run before the first event or constructor asks for it, twice, or in secure-execution
// mode (getauxval(3), AT_SECURE).

#include <errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstring>

#include "preload/log/blind_spot.h"
#include "preload/log/live_log.h"
#include "preload/log/log_sink.h"
#include "preload/log/symbols.h"
#include "preload/mask/fold.h"
#include "preload/mask/fs_context.h"
#include "preload/mask/root.h"
#include "preload/process/exec_environment.h"
#include "preload/process/exec_place.h"
#include "preload/process/exec_target.h"
#include "preload/process/go_program.h"
#include "preload/process/hand_over.h"
#include "preload/process/inline_calls.h"
#include "preload/process/liburing_probe.h"
#include "preload/process/seccomp.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/record/shared_ids.h"
#include "preload/state.h"
#include "preload/sys/at_start.h"
#include "preload/sys/before_relocation.h"
#include "preload/sys/descriptor_guard.h"
#include "preload/sys/fork_guard.h"
#include "preload/sys/format_text.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/loaded_objects.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/own_table.h"
#include "preload/sys/real.h"
#include "preload/sys/scratch.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/symbol_table.h"
#include "preload/sys/sys.h"

// The handle of this library for __register_atfork. The compiler's start files define one too, but
// the library is linked without them: they would look up four names of libc at each start
// (libc_names.def), and unregister our fork handlers before the last code has run.
extern "C" {
__attribute__((visibility("hidden"), weak)) void* __dso_handle = nullptr;
}

namespace umaskaudit::shim {

[[gnu::section(".data.start.process")]] constinit Process process;  // see sys/at_start.h
constinit thread_local ThreadState thread_state __attribute__((tls_model("initial-exec")));

namespace {

std::uint32_t intact_word = 1;  // stays 1 where MADV_WIPEONFORK is missing

// Signals are blocked from prepare to parent or child: a handler that called umask in between would
// wait for the lock that its own thread holds.
sys::SignalSet signals_before_fork;

void before_fork() {
  const sys::SignalSet old = sys::block_signals();
  lock_contexts();
  lock_descriptors();
  signals_before_fork = old;
}

void after_fork_in_parent() {
  const sys::SignalSet old = signals_before_fork;
  unlock_descriptors();
  unlock_contexts();
  sys::restore_signals(old);
}

void after_fork_in_child() {
  const sys::SignalSet old = signals_before_fork;
  // A handler that was registered before ours may have recorded an event, and so adopted the child.
  if (fork_guard == &intact_word || !fork_guard_intact()) adopt_fork(false);
  sys::restore_signals(old);
}

// glibc's pthread_atfork(3) is a static function that makes this call.
void register_fork_handlers() {
  if (&__register_atfork != nullptr) {
    __register_atfork(before_fork, after_fork_in_parent, after_fork_in_child, &__dso_handle);
  } else if (void* const found = find_in_loaded("pthread_atfork"); found != nullptr) {
    reinterpret_cast<decltype(&pthread_atfork)>(found)(before_fork, after_fork_in_parent,
                                                       after_fork_in_child);
  }
}

void read_first_threads_name(void*) {
  const long size = sys::read_file("/proc/self/comm", process.comm, sizeof process.comm);
  if (size > 0) process.comm[size - 1] = '\0';  // the kernel ends it with a newline
}

void keep_program(const char* path, std::size_t length) {
  const char* const kept = keep_text(path, length);
  if (kept == nullptr) return;
  process.exe = kept;
  process.exe_length = static_cast<std::uint32_t>(length);
}

// False: not known, or possibly longer than the buffer.
template <std::size_t kSize>
[[gnu::noinline]] bool read_program() {
  char path[kSize];
  const long length =
      sys::call(SYS_readlinkat, AT_FDCWD, sys::arg("/proc/self/exe"), sys::arg(path), sizeof path);
  if (length <= 0 || length == sizeof path) return false;
  keep_program(path, static_cast<std::size_t>(length));
  return true;
}

void read_identity(int pid) {
  const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  // Without /proc: the name that the program was executed by (getauxval(3)).
  if (!read_program<256>() && !read_program<trace::kMaxPath>() && name != nullptr) {
    keep_program(name, strnlen(name, trace::kMaxPath - 1));
  }
  // The process's name (proc(5), comm) is that of its first thread, which is mostly the calling
  // one.
  if (sys::gettid() == pid) {
    sys::call(SYS_prctl, PR_GET_NAME, sys::arg(process.comm));
    return;
  }
  run_in_own_table(read_first_threads_name, nullptr);
}

void print_help() {
  describe_options([](const char* name, const char* help) {
    char line[256];
    TextBuffer text(line, sizeof line);
    text.put("  ").put(name).put("=  ").put(help).put('\n');
    write_to_stderr(text);
  });
}

// Makes a name absolute, so that it means the same file for all children, and for the log after
// chdir(2). False: it stays relative.
bool make_absolute(Text& name) {
  if (name.empty() || name.bytes[0] == '/') return false;
  char directory[4096];
  if (sys::call(SYS_getcwd, sys::arg(directory), sizeof directory) <= 0) return false;
  Text absolute;
  TextBuffer text(absolute.bytes, sizeof absolute.bytes - 1);
  text.put(directory).put('/').put(name.bytes);
  if (text.overflow()) return false;
  name = absolute;
  return true;
}

bool make_options_absolute() {
  Options& options = process.options;
  const bool trace_moved = make_absolute(options.trace);
  return (log_is_file() && make_absolute(options.log)) || trace_moved;
}

constinit bool called_before_relocation = false;

void report_calls_before_relocation(const trace::Context& context) {
  constexpr char kText[] = "code that ran before the loader had relocated libumaskaudit.so";
  if (!called_before_relocation) return;
  report_blind_spot({context.owner}, trace::Blind::other, Call::dlopen, context.id, 0, kText,
                    sizeof kText - 1);
}

void write_birth(trace::Origin origin, const trace::Context& context) {
  write_process_record(origin, context);
  write_record(trace::RecordType::context, context.owner, context);
  if (static_cast<trace::MaskSource>(context.mask_source) == trace::MaskSource::unknown) {
    report_blind_spot({context.owner}, trace::Blind::no_mask, Call::umask, context.id, 0, "umask",
                      5);
  }
  write_thread_record({context.owner}, context.id, thread_handle());
}

void start_recording(int pid) {
  process.pid.store(static_cast<std::uint32_t>(pid), std::memory_order_relaxed);
  const char* given = start_variable("UMASKAUDIT_OPTIONS");
  // Neither options nor LD_PRELOAD name us: /etc/ld.so.preload does, or the program was linked with
  // us for the API. So no log on its stderr was asked for.
  if (given == nullptr && own_preload_entry(start_variable("LD_PRELOAD")).begin == nullptr) return;
  const StartStatus status = study_inherited_filter();
  process.proc_mount = status.proc_mount;
  parse_options(given, process.options, warn);
  if (process.options.help) print_help();
  const bool moved = make_options_absolute();
  read_identity(pid);
  remember_environment(moved);
  remember_loader();
  remember_user();
  HandOver hand_over;
  InlineHandOver inline_calls;
  if (has_tracer()) {
    study_filter_for_tracer();
    if (is_go_program()) {
      hand_over = hand_over_process(trace::HandOverScope::everything);
    } else {
      inline_calls = hand_over_inline_calls();
    }
    if (hand_over.taken() || inline_calls.takes_process()) return;
  }
  open_log();
  set_up_fork_guard();
  static_assert(kLiburingRoom <= kRoomForLook);
  look_at_new_modules(probe_liburing);
  if (!process.options.trace.empty()) {
    const int error =
        open_segment(process.options.trace.bytes, process.pid.load(std::memory_order_relaxed));
    process.trace = error == 0;
    if (process.trace && process.options.keep == Keep::latest) start_sharing_ids();
    const ServedRoot root = served_root();
    move_root(root.text, root.length);
    // With log=off `umaskaudit run` reports the failure, from run.state.
    if (error != 0 && !process.options.log.is("off")) warn_not_recording(error);
  }
  const bool known = status.mask.source != trace::MaskSource::unknown;
  const trace::Context context = make_first_context(known ? status.mask : read_initial_mask());
  write_birth(trace::Origin::exec, context);
  write_call_names(context.owner);
  if (status.filtered) {
    report_blind_spot({context.owner}, trace::Blind::seccomp, Call::execve, context.id, 0,
                      "inherited filter", 16);
  }
  probe_liburing_at_start({context.owner}, context.id);
  report_calls_before_relocation(context);
  look_for_go_at_start({context.owner}, context.id, hand_over);
  report_inline_calls({context.owner}, context.id, inline_calls.request);
}

constinit std::atomic<std::uint32_t> starter = 0;  // the process that is starting the shim
constinit std::atomic<bool> patient = true;
constinit std::atomic<bool> is_waited_for = false;

// Waits until another thread has started the shim. That needs no lock that this thread may hold; if
// it still does not end, some calls are not recorded, and no thread waits again.
void wait_for_start() {
  // Forked in the middle of a start: the starting thread does not exist in this process.
  if (starter.load() != static_cast<std::uint32_t>(sys::getpid())) return;
  is_waited_for.store(true);  // before the phase is read
  constexpr int kStarting = static_cast<int>(Phase::starting);
  for (int tries = 0; patient.load(std::memory_order_relaxed); ++tries) {
    if (process.phase.load() != kStarting) return;
    if (tries == 20) patient.store(false, std::memory_order_relaxed);
    const timespec moment{0, 100000000};
    sys::call(SYS_futex, sys::arg(&process.phase), FUTEX_WAIT_PRIVATE, kStarting,
              sys::arg(&moment));
  }
}

void start_as_the_first(int pid) {
  Phase phase = Phase::off;
  if (getauxval(AT_SECURE) == 0) {
    start_recording(pid);
    if (process.trace || watches_windows()) phase = Phase::recording;
  }
  process.phase.store(static_cast<int>(phase));
  if (is_waited_for.load()) {
    sys::call(SYS_futex, sys::arg(&process.phase), FUTEX_WAKE_PRIVATE, INT32_MAX);
  }
  // glibc runs the handler that was registered first last before the fork, and first after it, so
  // the locks are held as briefly as possible. Registration may lock and allocate; a fork before it
  // is noticed by the fork guard.
  if (phase == Phase::recording) register_fork_handlers();
}

}  // namespace

volatile std::uint32_t* fork_guard = &intact_word;

void set_up_fork_guard() {
  constexpr std::size_t kPage = 4096;
  // Without MAP_NORESERVE, unlike neighbouring mappings: the kernel would merge them, and split
  // them again for the advice.
  void* page =
      sys::map(kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (page == nullptr) return;
  if (sys::call(SYS_madvise, sys::arg(page), kPage, MADV_WIPEONFORK) != 0) {
    sys::unmap(page, kPage);
    return;
  }
  fork_guard = static_cast<volatile std::uint32_t*>(page);
  *fork_guard = 1;
}

void adopt_fork(bool unseen) {
  process.pid.store(static_cast<std::uint32_t>(sys::getpid()), std::memory_order_relaxed);
  release_all_scratch();
  release_loaded_objects();
  release_symbols();
  unlock_descriptors();
  forget_folds();
  const trace::Context context = adopt_forked_context(unseen);
  write_birth(static_cast<trace::Origin>(context.origin), context);
  *fork_guard = 1;
}

void adopt_unseen_fork() {
  constexpr std::uint32_t kAdopting = 2;
  const sys::SignalSet old = sys::block_signals();
  std::uint32_t cleared = 0;
  if (__atomic_compare_exchange_n(fork_guard, &cleared, kAdopting, false, __ATOMIC_ACQ_REL,
                                  __ATOMIC_ACQUIRE)) {
    adopt_fork(true);
  } else {
    while (*fork_guard != 1) sys::call(SYS_sched_yield);
  }
  sys::restore_signals(old);
}

bool start() {
  if (!is_relocated()) {  // too early; our constructor comes later
    called_before_relocation = true;
    return false;
  }
  // Recursive: dlsym(3) may allocate through a malloc of the program's, which calls us.
  if (thread_state.starting) return false;
  thread_state.starting = true;
  const int saved_errno = errno;
  // A signal handler would find the shim half started.
  const sys::SignalSet signals = sys::block_signals();
  sys::look_around();
  // First of all, because it takes the loader's lock: a thread that waits for the start may hold
  // that, in a constructor below dlopen(3).
  resolve_all();
  read_loaded_objects();
  find_inline_calls();
  constexpr int kUnstarted = static_cast<int>(Phase::unstarted);
  // Written although nothing changes: reading a page first would cost a second page fault.
  int seen = kUnstarted;
  const int pid = sys::getpid();
  if (process.phase.compare_exchange_strong(seen, kUnstarted)) {
    starter.store(static_cast<std::uint32_t>(pid));
  }
  int expected = kUnstarted;
  if (process.phase.compare_exchange_strong(expected, static_cast<int>(Phase::starting),
                                            std::memory_order_acq_rel)) {
    start_as_the_first(pid);
  } else {
    wait_for_start();
  }
  sys::restore_signals(signals);
  errno = saved_errno;
  thread_state.starting = false;
  return process.phase.load(std::memory_order_acquire) == static_cast<int>(Phase::recording);
}

__attribute__((constructor(101))) static void construct() {
  sys::look_around();  // before any test of readability
  remember_first_thread();
  start();
}

}  // namespace umaskaudit::shim
