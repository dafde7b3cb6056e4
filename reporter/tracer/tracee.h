// What the tracer knows of the tasks that it has stopped, or may stop.
// Must never be shared between threads: ptrace(2) answers one thread alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reporter/tracer/address_space.h"
#include "reporter/tracer/calls.h"
#include "reporter/tracer/filter.h"
#include "reporter/tracer/recording.h"

namespace umaskaudit::tracer {

struct Task;

// An fs context (clone(2), CLONE_FS): its mask, and the gate: a change of the mask and a creating
// call of one context are never under way at the same moment, so that the mask of each creation is
// exact. Who would enter against that is held at the entry of its call.
struct FsContext {
  std::uint16_t mask = 0;
  trace::MaskSource source = trace::MaskSource::unknown;
  std::uint64_t changes = 0;
  unsigned tasks = 0;
  std::optional<std::string> root;      // root_of() its tasks; nothing: to be asked again
  unsigned creating = 0, changing = 0;  // calls under way
  std::vector<Task*> held;              // in the order in which they came
  // What it is called in each segment that its tasks write to.
  std::vector<std::pair<const Recording*, std::uint32_t>> ids;

  bool admits(bool changes_mask) const { return changing == 0 && (!changes_mask || creating == 0); }
};

// One of a single task, with the mask that /proc says.
std::shared_ptr<FsContext> context_by_proc(pid_t tid);

struct Process {
  explicit Process(pid_t of);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const pid_t pid;
  int descriptor;                        // pidfd_open(2)
  std::shared_ptr<Recording> recording;  // null: nothing is recorded, the library sees to that
  std::unique_ptr<AddressSpace> space;
  bool filtered = false;  // a filter of ours stops it; else it stops at every call
  bool shared = false;    // the library records its other calls, changes of the mask among them
};

// The call that a task is in, as it was at the entry.
struct PendingCall {
  const CallRow* row = nullptr;  // null: none of interest
  std::uint64_t arguments[6] = {};
  std::string path, second;  // as passed
  std::string attribute;     // of setxattr(2)
  bool unread = false;       // a name could not be read
  std::uint64_t flags = 0;
  std::uint32_t mode = 0;
  std::uint32_t stack = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t changes_before = 0;
  std::uint16_t mask_before = 0;
  bool busy = false;           // a change of the mask was under way
  bool entered = false;        // counted in the context's gate
  std::int64_t before_ns = 0;  // CLOCK_REALTIME_COARSE
  // What was there before, where the kernel does not tell afterwards.
  bool looked = false, existed = false;
  std::uint64_t before_dev = 0, before_ino = 0;
};

struct Task {
  pid_t tid = 0;
  std::shared_ptr<Process> process;
  std::shared_ptr<FsContext> context;
  PendingCall call;
  bool awaits_exit = false;  // the exit of `call` is wanted
  bool held = false;         // at the gate, since
  std::uint64_t held_ns = 0;
  // Only its children are of interest, or its next image: it goes on without stops.
  bool passing = false;
  bool awaits_injection = false;  // at the exit of execve(2)
  std::unique_ptr<Injection> injection;
  bool expects_child = false;  // of posix_spawn(3)
  std::optional<int> release;  // the request that asks to let it go
};

// Where a path of the task's starts.
Place place_of(const Task& task, int dirfd, std::string path);

}  // namespace umaskaudit::tracer
