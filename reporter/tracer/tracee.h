// The state of the tasks that the tracer has stopped, or may stop.
// Must never be shared between threads: only one thread may call ptrace(2).
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

// An fs context (clone(2), CLONE_FS): its mask and its gate. A change of the mask and a creating
// call of one context are never in progress at the same moment, so the mask of each creation is
// exact. A task that would violate that is held at the entry of its call.
struct FsContext {
  std::uint16_t mask = 0;
  trace::MaskSource source = trace::MaskSource::unknown;
  std::uint64_t changes = 0;
  unsigned tasks = 0;
  std::optional<std::string> root;      // root_of() its tasks; nothing: to be read again
  unsigned creating = 0, changing = 0;  // calls in progress
  std::vector<Task*> held;              // in order of arrival
  // Its ids in the segments that its tasks write to.
  std::vector<std::pair<const Recording*, std::uint32_t>> ids;

  bool admits(bool changes_mask) const { return changing == 0 && (!changes_mask || creating == 0); }
};

// A context of one task, with the mask that /proc shows.
std::shared_ptr<FsContext> context_by_proc(pid_t tid);

struct Process {
  explicit Process(pid_t of);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const pid_t pid;
  int descriptor;                        // pidfd_open(2)
  std::shared_ptr<Recording> recording;  // null: not recorded, because the library does
  std::unique_ptr<AddressSpace> space;
  bool filtered = false;  // our filter stops it; else it stops at every call
  bool shared = false;    // the library records its other calls, including changes of the mask
};

// The call that a task is in, as of its entry.
struct PendingCall {
  const CallRow* row = nullptr;  // null: not a traced one
  std::uint64_t arguments[6] = {};
  std::string path, second;  // as passed
  std::string attribute;     // of setxattr(2)
  std::uint32_t set_id = 0;  // chown(2): the set-user-ID and set-group-ID bits before the call
  bool unread = false;       // a path could not be read
  std::uint64_t flags = 0;
  std::uint32_t mode = 0;
  std::uint32_t stack = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t changes_before = 0;
  std::uint16_t mask_before = 0;
  bool busy = false;           // a change of the mask was in progress
  bool entered = false;        // counted in the context's gate
  std::int64_t before_ns = 0;  // CLOCK_REALTIME_COARSE
  // The object before the call, for kernels without F_CREATED_QUERY.
  bool looked = false, existed = false;
  std::uint64_t before_dev = 0, before_ino = 0;
};

struct Task {
  pid_t tid = 0;
  std::shared_ptr<Process> process;
  std::shared_ptr<FsContext> context;
  PendingCall call;
  bool awaits_exit = false;  // the exit of `call` is needed
  bool held = false;         // held at the gate since
  std::uint64_t held_ns = 0;
  // Only its children or its next image matter: it runs without stops.
  bool passing = false;
  bool awaits_injection = false;  // at the exit of execve(2)
  std::unique_ptr<Injection> injection;
  bool expects_child = false;  // of posix_spawn(3)
  std::optional<int> release;  // the request to detach it
};

// The base directory of a task's path.
Place place_of(const Task& task, int dirfd, std::string path);

}  // namespace umaskaudit::tracer
