// One creating call, from the snapshot before it to the record behind it.
// Must never hold anything across REAL(): open(2) of a FIFO may block for ever, and a cancelled
// thread never comes back (pthread_cancel(3)). No destructor here has work to do.
// Called by the creation shapes.
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
  const char* path;  // as the program passed it: not to be read before the kernel has accepted it
  int flags;         // open(2)
  std::uint32_t mode;
  StackStart stack;
  long number = SYS_openat;  // the system call that an attempt with other flags makes
};

// True when a wrapper further up the stack is in the middle of the same call: what it called went
// on through syscall(2), and will be recorded as what the program asked for.
bool is_part_of_a_creation(const Request& request);

struct Author;
struct ObjectFacts;

class Creation {
 public:
  // Takes the snapshot before the call.
  explicit Creation(const Request& request);
  // For a call that somebody else makes, under a mask that is already known.
  Creation(const Request& request, const Task& task, const Snapshot& before)
      : request_(request), task_(task), before_(before) {}

  // For another attempt of the same call.
  void again() { before_ = met_snapshot(task_); }

  // The call succeeded. The object is looked at by descriptor, or by name without following links.
  // None of these changes errno.
  void made(int fd, trace::Created created);
  void made_at_path(trace::Created created);
  void made_semaphore(trace::Created created);
  void failed(int error);

  // Where a call may meet an existing object: what was there before, and what came of it.
  // `exists` is whether the name (links followed) led to an object.
  struct Look {
    bool exists = false;
    bool known = false;  // false: the look itself failed for another reason than ENOENT
    std::uint64_t ino = 0;
    std::uint64_t dev = 0;
    std::int64_t birth_ns = 0;
    std::int64_t before_ns = 0;  // CLOCK_REALTIME_COARSE, the clock of birth times
    std::int64_t steady_ns = 0;  // CLOCK_MONOTONIC, which is never set
  };
  // Into `out`, for a result that is copied would lie on the caller's stack twice.
  void look(Look& out) const { look(request_.dirfd, request_.path, 0, out); }
  // The time alone, where the kernel is asked afterwards.
  static void look_at_clock(Look& out);
  // The same where the object is not at the request's path; arguments as for statx(2).
  void look(int dirfd, const char* path, int flags, Look& out) const;
  // After a successful call that did not insist on O_EXCL.
  void made_or_met(int fd, const Look& before);
  void made_or_met_at_path(const Look& before);
  // The same, asking the kernel which of both it was; true: created.
  bool made_or_met_as_told(int fd, const Look& before);
  // After a single attempt: asks the kernel where its answer is exact, else goes by the look.
  void made_or_met_after_look(int fd, const Look& before);
  // After one of those: what was made or met lies where the kernel's answer is exact.
  bool is_told(int fd) const { return created_query::is_exact_for(fd, mount_); }
  // The call failed, maybe behind the creation.
  void failed_or_left(int error, const Look& before);

 private:
  void judge(const ObjectFacts* facts, const Look& before) { judge(facts, before, before.known); }
  // `known`: in place of the look's.
  void judge(const ObjectFacts* facts, const Look& before, bool known);
  bool birth_is_comparable(const Look& before) const;
  void finish(const ObjectFacts* facts, trace::Created created, int error);
  // Each apart, one after the other: they need the most of a small stack.
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
  std::uint64_t mount_ = 0;  // the unique number of the object's; 0: not known
  // The kernel may have followed a symbolic link to what it made: the call did not insist on
  // O_EXCL, which makes it not follow the last component. The descriptor names the target; -1:
  // none.
  bool may_follow_ = false;
  int fd_ = -1;
};

// What is recorded of a creating call where there is too little stack for more: call, path, masks
// and error.
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
