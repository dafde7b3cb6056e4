// State of the process and of the calling thread that every room of the shim uses.
// Must never own memory that needs freeing, or a C++ object with a destructor: our destructor is
// not the last code to run. All of it is constinit, here and elsewhere in preload/: a dynamic
// initialiser would run after our first use, and overwrite what was recorded until then.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/options.h"

namespace umaskaudit::shim {

struct FsContext;

enum class Phase : int {
  unstarted = 0,
  starting = 1,  // some thread is inside init; the others wait for it
  recording = 2,
  off = 3,  // secure-execution mode, or nothing to record to
};

struct Process {
  std::atomic<int> phase = 0;
  std::atomic<std::uint32_t> pid = 0;
  std::uint32_t pid_namespace = 0;  // as in trace::Process
  // The number of the mount at /proc, where that shows the PID name space of this process; 0: not
  // known.
  std::uint64_t proc_mount = 0;
  std::atomic<std::uint32_t> name_generation = 0;  // bumped when any thread is renamed
  std::atomic<bool> unknown_tasks = false;         // clone(2) made tasks with any TLS: fs_context.h
  std::atomic<bool> shares_fs = false;             // perhaps: clone(2) with CLONE_FS was seen
  bool trace = false;                              // a segment is open
  bool log = false;                                // the live log is on
  Options options;
  char comm[16] = {};
  const char* exe = "";  // the program's path
  std::uint32_t exe_length = 0;
};
extern Process process;

// A vfork child of this thread, which runs on the thread's TLS until it execs. It has a mask of
// its own, so the mask is cached here and not in the thread's context.
struct VforkChild {
  std::uint32_t tid = 0;  // 0: none
  std::uint32_t context = 0;
  std::uint32_t change = 0;
  std::uint16_t mask = 0;
  bool mask_known = false;
};

// The creating call that this thread is inside. Another preload behind us may implement it by
// syscall(2), which we wrap too: the inner call is then not recorded again. Stays set when a
// longjmp(3) leaves the call; `sp` tells that it is stale.
struct CallInProgress {
  std::uintptr_t sp = 0;  // of the wrapper's caller; 0: none
  const char* path = nullptr;
};

// Per thread. Initial-exec TLS is taken from the small static reserve that libraries loaded by
// dlopen(3) share, so it is kept to 64 bytes, without constructor or destructor.
struct ThreadState {
  std::uint32_t tid = 0;      // 0: not set up; differs from gettid(): a child runs on this TLS
  std::uint32_t context = 0;  // index into the context table
  std::uint32_t name_generation = 0;
  VforkChild vfork_child;
  bool tls_shared = false;    // a vfork child may be running on this TLS
  bool starting = false;      // inside start(), which blocks all signals
  std::uint16_t records = 0;  // that it wrote, or its vfork child did
  CallInProgress creating;
};
static_assert(sizeof(ThreadState) <= 64);
extern constinit thread_local ThreadState thread_state __attribute__((tls_model("initial-exec")));

// Starts the shim if nothing has (a constructor of another library may call us before ours runs).
// True: record this call.
[[gnu::cold]] bool start();
inline bool recording() {
  const auto phase = static_cast<Phase>(process.phase.load(std::memory_order_acquire));
  if (__builtin_expect(phase == Phase::recording, 1)) return true;
  return (phase == Phase::unstarted || phase == Phase::starting) && start();
}

}  // namespace umaskaudit::shim
