// Creation: one creating call, from the snapshot before it to its record.
// Must never hold anything across REAL(): open(2) of a FIFO may block forever, and a cancelled
// thread never returns (pthread_cancel(3)). So no destructor here has work to do.
#pragma once

#include <cstdint>

#include "preload/mask/fs_context.h"
#include "preload/object/created_query.h"
#include "preload/sys/real.h"
#include "preload/unwind/unwind.h"

struct statx;

namespace umaskaudit::shim {

struct Request {
  Call call;
  trace::Kind kind;
  int dirfd;
  const char* path;  // as the program passed it: not to be read before the kernel has
  int flags;         // open(2)
  std::uint32_t mode;
  StackStart stack;
  long number = SYS_openat;  // the system call for an attempt with other flags
};

// True when a wrapper further up the stack is inside the same call: libc or another preload made it
// by syscall(2), and the outer wrapper records it as the program asked for it.
bool is_part_of_a_creation(const Request& request);

struct Author;
struct ObjectFacts;

class Creation {
 public:
  // Takes the snapshot before the call.
  explicit Creation(const Request& request);
  // For a call that another task makes, under a mask that is already known.
  Creation(const Request& request, const Task& task, const Snapshot& before)
      : request_(request), task_(task), before_(before) {}

  // For another attempt of the same call.
  void again() { before_ = met_snapshot(task_); }

  // The call succeeded: looks at the object by descriptor, or by name without following links, and
  // records it. None of these changes errno.
  void made(int fd, trace::Created created);
  void made_at_path(trace::Created created);
  void made_semaphore(trace::Created created);
  void failed(int error);

  // For calls that may open an existing object: what the name (links followed) led to before the
  // call.
  struct Look {
    bool exists = false;
    bool known = false;  // false: the look failed with another error than ENOENT
    std::uint64_t ino = 0;
    std::uint64_t dev = 0;
    std::int64_t birth_ns = 0;
    std::int64_t before_ns = 0;  // CLOCK_REALTIME_COARSE, the clock of birth times
    std::int64_t steady_ns = 0;  // CLOCK_MONOTONIC, which is never set
  };
  // Fills `out`, because a returned copy would be on the caller's stack twice.
  void look(Look& out) const { look(request_.dirfd, request_.path, 0, out); }
  // Only the time, where the kernel is asked afterwards.
  static void look_at_clock(Look& out);
  // The same when the object is not at the request's path; arguments as for statx(2).
  void look(int dirfd, const char* path, int flags, Look& out) const;
  // After a successful call without O_EXCL: compares with the look.
  void made_or_met(int fd, const Look& before);
  void made_or_met_at_path(const Look& before);
  // The same, but asks the kernel whether it was created; true: created.
  bool made_or_met_as_told(int fd, const Look& before);
  // After a single attempt: asks the kernel where its answer is exact, else compares with the look.
  void made_or_met_after_look(int fd, const Look& before);
  // After one of those: whether the object is where the kernel's answer is exact.
  bool is_told(int fd) const { return created_query::is_exact_for(fd, mount_); }
  // The call failed, but may have created the object.
  void failed_or_left(int error, const Look& before);

 private:
  void judge(const ObjectFacts* facts, const Look& before) { judge(facts, before, before.known); }
  // `known` replaces the member of the look.
  void judge(const ObjectFacts* facts, const Look& before, bool known);
  bool birth_is_comparable(const Look& before) const;
  void finish(const ObjectFacts* facts, trace::Created created, int error);
  // Not inlined and not nested, because each needs much of a small stack.
  struct Place;
  [[gnu::noinline]] std::uint32_t capture(const Author& author) const;
  [[gnu::noinline]] void log(const Author& author, const trace::Create& record,
                             const Place& place) const;
  [[gnu::noinline]] void find_place(const Author& author, const ObjectFacts* facts,
                                    trace::Created created, int error, Place& out) const;
  [[gnu::noinline]] void write(const Author& author, const ObjectFacts* facts,
                               trace::Created created, int error, Snapshot& after,
                               const Place& place);
  bool mask_is_suspect(const trace::Create& record, bool default_acl, const Snapshot& after) const;

  const Request& request_;
  Task task_;
  Snapshot before_;
  std::uint64_t mount_ = 0;  // unique id of the object's mount; 0: not known
  // Set when the kernel may have followed a symbolic link to the object: calls without O_EXCL
  // follow the last component. The descriptor of the object; -1: none.
  bool may_follow_ = false;
  int fd_ = -1;
};

// A record for a creating call on a stack too small for more: call, path, masks and error.
class BriefCreation {
 public:
  BriefCreation() : task_(enter()), before_(met_snapshot(task_)) {}
  // Counts a lost stack.
  [[gnu::noinline]] void ended(const Request& request, int error) const;

 private:
  Task task_;
  Snapshot before_;
};

}  // namespace umaskaudit::shim
