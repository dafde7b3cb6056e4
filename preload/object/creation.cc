// Finds out what a creating call made, and records it; see creation.h.

#include "preload/object/creation.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstring>

#include "preload/log/live_log.h"
#include "preload/mask/fold.h"
#include "preload/mask/mask_change.h"
#include "preload/mask/overlap_watch.h"
#include "preload/object/object_look.h"
#include "preload/object/parent.h"
#include "preload/object/repeats.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"
#include "preload/sys/format_text.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// Errors after which the path is known to be readable, because the kernel has read it. Others may
// come before that (EFAULT, EINVAL, or any that a seccomp filter returns).
bool path_was_read(int error) {
  switch (error) {
    case 0:
    case EEXIST:
    case EADDRINUSE:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case ETXTBSY:
    case ENXIO:
      return true;
    default:
      return false;
  }
}

// The path of a failed call that the kernel may not have read: copied into `buffer` without
// touching the program's memory directly. Empty where it cannot be copied.
[[gnu::noinline, gnu::cold]] const char* copied_path(const char* path, int error,
                                                     const Scratch& buffer) {
  if (error == EFAULT) return "";
  if (buffer.get() == nullptr) {
    count_loss(trace::Loss::path_dropped);
    return "";
  }
  static_assert(Scratch::kSize > trace::kMaxPath);
  return sys::copy_text(buffer.get(), path, trace::kMaxPath + 1) >= 0 ? buffer.get() : "";
}

// The mode by request and mask alone; the reporter's calculus knows the other rules.
std::uint32_t masked(const Request& request, std::uint16_t mask) {
  const std::uint32_t honoured = request.kind == trace::Kind::dir ? 01777 : 07777;
  return request.mode & honoured & ~std::uint32_t{mask};
}

std::uint32_t bounded_length(const char* path) {
  return static_cast<std::uint32_t>(strnlen(path, trace::kMaxPath));
}

// POSIX IPC names are not paths...
bool lies_in_directory(trace::Kind kind) {
  return kind != trace::Kind::mqueue && kind != trace::Kind::shm && kind != trace::Kind::sem;
}
// ... but their objects are files, in one directory of glibc's (shm_overview(7)).
constexpr char kSharedMemory[] = "/dev/shm";
bool lies_in_shared_memory(trace::Kind kind) {
  return kind == trace::Kind::shm || kind == trace::Kind::sem;
}

trace::Kind kind_of_mode(std::uint32_t mode, trace::Kind requested) {
  if (requested != trace::Kind::unknown) return requested;
  return S_ISDIR(mode) ? trace::Kind::dir : trace::Kind::file;
}

}  // namespace

Creation::Creation(const Request& request)
    : request_(request), task_(enter()), before_(met_snapshot(task_)) {
  thread_state.creating = {request.stack.sp, request.path};
}

bool is_part_of_a_creation(const Request& request) {
  const CallInProgress& above = thread_state.creating;
  return above.sp != 0 && request.stack.sp < above.sp && request.path == above.path;
}

void Creation::made(int fd, trace::Created created) {
  ObjectFacts facts;
  const bool known = look_at(fd, "", AT_EMPTY_PATH, facts) == 0;
  finish(known ? &facts : nullptr, created, 0);
}

void Creation::made_at_path(trace::Created created) {
  ObjectFacts facts;
  const bool known = look_at(request_.dirfd, request_.path, AT_SYMLINK_NOFOLLOW, facts) == 0;
  finish(known ? &facts : nullptr, created, 0);
}

// glibc keeps named semaphores as "/dev/shm/sem.NAME" (sem_overview(7)).
namespace {
[[gnu::noinline]] bool look_at_semaphore(const char* name, ObjectFacts& facts) {
  char path[300];
  TextBuffer text(path, sizeof path);
  while (*name == '/') ++name;
  text.put("/dev/shm/sem.").put(name, strnlen(name, sizeof path)).end();
  return look_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, facts) == 0;
}
}  // namespace

void Creation::made_semaphore(trace::Created created) {
  ObjectFacts facts;
  const bool known = look_at_semaphore(request_.path, facts);
  finish(known ? &facts : nullptr, created, 0);
}

void Creation::failed(int error) { finish(nullptr, trace::Created::no, error); }

void Creation::look_at_clock(Look& out) {
  out = {};
  out.before_ns = static_cast<std::int64_t>(sys::now_ns(CLOCK_REALTIME_COARSE));
  out.steady_ns = static_cast<std::int64_t>(sys::now_ns());
}

void Creation::look(int dirfd, const char* path, int flags, Look& out) const {
  look_at_clock(out);
  ObjectFacts facts;
  const int error = look_at(dirfd, path, flags, facts);
  out.exists = error == 0;
  out.known = error == 0 || error == -ENOENT;
  if (out.exists) {
    out.ino = facts.ino;
    out.dev = facts.dev;
    out.birth_ns = facts.birth_ns;
  }
}

void Creation::made_or_met(int fd, const Look& before) {
  may_follow_ = true;
  fd_ = fd;
  ObjectFacts facts;
  judge(look_at(fd, "", AT_EMPTY_PATH, facts) == 0 ? &facts : nullptr, before);
}

bool Creation::made_or_met_as_told(int fd, const Look& before) {
  may_follow_ = true;
  fd_ = fd;
  ObjectFacts facts;
  if (look_at(fd, "", AT_EMPTY_PATH, facts) != 0) {
    finish(nullptr, trace::Created::unknown, 0);
    return false;
  }
  const created_query::Answer answer = created_query::ask(fd);
  const bool made = answer == created_query::Answer::created;
  if (answer != created_query::Answer::none && created_query::is_exact_for(fd, facts.mount)) {
    finish(&facts, made ? trace::Created::yes : trace::Created::no, 0);
    return made;
  }
  // The first object on a filesystem without exact answers. There "created" may only mean that the
  // kernel tried to; CIFS says "existed" of files that it created, but has birth times.
  if (answer == created_query::Answer::existed && facts.birth_ns == 0) {
    finish(&facts, trace::Created::no, 0);
    return false;
  }
  judge(&facts, before, made);
  return false;
}

void Creation::made_or_met_after_look(int fd, const Look& before) {
  may_follow_ = true;
  fd_ = fd;
  ObjectFacts facts;
  if (look_at(fd, "", AT_EMPTY_PATH, facts) != 0) {
    return finish(nullptr, trace::Created::unknown, 0);
  }
  if (created_query::is_usable() && created_query::is_exact_for(fd, facts.mount)) {
    const created_query::Answer answer = created_query::ask(fd);
    if (answer != created_query::Answer::none) {
      const bool made = answer == created_query::Answer::created;
      return finish(&facts, made ? trace::Created::yes : trace::Created::no, 0);
    }
  }
  judge(&facts, before);
}

void Creation::made_or_met_at_path(const Look& before) {
  may_follow_ = true;
  ObjectFacts facts;
  judge(look_at(request_.dirfd, request_.path, 0, facts) == 0 ? &facts : nullptr, before);
}

// fopen(3) with a character set that glibc does not know, and open(2) with O_DIRECT on a filesystem
// without it, fail with EINVAL and leave the file that they created. The program sees a failure;
// the file exists, and is recorded.
void Creation::failed_or_left(int error, const Look& before) {
  ObjectFacts facts;
  const bool left = error == EINVAL && before.known && !before.exists &&
                    lies_in_directory(request_.kind) &&
                    look_at(request_.dirfd, request_.path, 0, facts) == 0;
  may_follow_ = left;
  if (left) return judge(&facts, before);
  failed(error);
}

// Whether a birth time can be compared with our clock: the clock was not set back since the look,
// and the filesystem's times come from this machine.
bool Creation::birth_is_comparable(const Look& before) const {
  constexpr std::int64_t kTicks = 20'000'000;  // the coarse clock moves every 10 ms at the slowest
  const auto real = static_cast<std::int64_t>(sys::now_ns(CLOCK_REALTIME_COARSE));
  const auto steady = static_cast<std::int64_t>(sys::now_ns());
  if (real - before.before_ns + kTicks < steady - before.steady_ns) return false;
  struct statfs filesystem {};
  const long error = fd_ >= 0
                         ? sys::call(SYS_fstatfs, fd_, sys::arg(&filesystem))
                         : sys::call(SYS_statfs, sys::arg(request_.path), sys::arg(&filesystem));
  return error == 0 &&
         created_query::creates_in_the_kernel(static_cast<std::uint32_t>(filesystem.f_type));
}

void Creation::judge(const ObjectFacts* facts, const Look& before, bool known) {
  if (facts == nullptr) {
    finish(nullptr, trace::Created::unknown, 0);
    return;
  }
  const std::int64_t birth = facts->birth_ns;
  auto created = trace::Created::probably;
  const bool same_object = before.exists && before.ino == facts->ino && before.dev == facts->dev &&
                           before.birth_ns == birth;
  // Born before the look, which did not find it: it was renamed or linked to this name meanwhile.
  const bool before_look = birth != 0 && birth < before.before_ns;
  const bool absent = known && !before.exists;
  const bool older = before_look && (!absent || birth_is_comparable(before));
  if (same_object || older) {
    created = trace::Created::no;
  } else if (birth == 0 && !known) {
    created = trace::Created::unknown;
  }
  finish(facts, created, 0);
}

// The mode differs from what the mask leaves, no ACL explains it, and no recorded call changed the
// mask: the mask may have been changed unseen.
bool Creation::mask_is_suspect(const trace::Create& record, bool default_acl,
                               const Snapshot& after) const {
  if (default_acl || after.busy || after.change != before_.change) return false;
  return ((record.final_mode ^ masked(request_, before_.mask)) & 0777) != 0;
}

namespace {

// Writes a creation's record, after the call has returned.
inline Author author_of(const Task& task, const Snapshot& after, std::uint64_t time_ns) {
  Author author{task.tid, task.pid, time_ns, 0};
  if (task.context == nullptr) author.flags |= trace::kForeign;
  if (after.busy) author.flags |= trace::kBusy;
  return author;
}

// The members of the record that need no look at the object.
inline void describe(const Request& request, const Task& task, const Snapshot& before,
                     const Snapshot& after, trace::Created created, int error,
                     trace::Create& record) {
  record.context = context_id(task);
  record.change_before = before.change;
  record.change_after = after.change;
  record.mask_before = before.mask;
  record.mask_after = after.mask;
  record.call = static_cast<std::uint16_t>(request.call);
  record.created = static_cast<std::uint8_t>(created);
  record.requested = request.mode;
  record.open_flags = static_cast<std::uint32_t>(request.flags);
  record.error = error;
}

}  // namespace

void BriefCreation::ended(const Request& request, int error) const {
  count_loss(trace::Loss::stack_dropped);
  const Snapshot after = met_snapshot(task_);
  end_met_fold(task_);
  const Author author = author_of(task_, after, 0);
  const char* path = request.path != nullptr && path_was_read(error) ? request.path : "";
  const auto made = (request.flags & O_EXCL) != 0 ? trace::Created::yes : trace::Created::unknown;
  trace::Create record{};
  describe(request, task_, before_, after, error == 0 ? made : trace::Created::no, error, record);
  record.kind = static_cast<std::uint8_t>(request.kind);
  record.path_length = bounded_length(path);
  write_record(trace::RecordType::create, author, record, {path, record.path_length});
}

// The object's names and directory, and the stack of the call.
struct Creation::Place {
  std::uint32_t stack = 0;
  std::uint32_t base = 0;
  std::uint32_t directory = 0;
  std::uint32_t target = 0;
  std::uint32_t path_length = 0;
  const char* path = "";  // as passed, or the copy in `buffer`
  Scratch buffer;         // also for the target, when the path is a symbolic link
  ParentView parent;
};

void Creation::finish(const ObjectFacts* facts, trace::Created created, int error) {
  thread_state.creating.sp = 0;
  Snapshot after = met_snapshot(task_);
  end_met_fold(task_);
  Author author = author_of(task_, after, sys::now_ns());
  if (facts != nullptr) mount_ = facts->mount;
  if (created == trace::Created::no && facts != nullptr && request_.path != nullptr) {
    const Repetition repetition = count_repetition(request_, *facts, before_.mask);
    if (repetition.counted) return;
    author.repeat = repetition.cell;
  }
  Place place;
  place.stack = capture(author);
  find_place(author, facts, created, error, place);
  write(author, facts, created, error, after, place);
}

// Walks the stack a second time: the frames are not kept for a log line that is seldom written.
void Creation::log(const Author& author, const trace::Create& record, const Place& place) const {
  CapturedStack stack;
  capture_stack(Event::other, author, request_.stack, stack);
  log_creation(author, record, place.path, request_.dirfd, place.parent, stack);
}

std::uint32_t Creation::capture(const Author& author) const {
  CapturedStack stack;
  capture_stack(Event::other, author, request_.stack, stack);
  return stack.id;
}

void Creation::find_place(const Author& author, const ObjectFacts* facts, trace::Created created,
                          int error, Place& out) const {
  if (request_.path != nullptr) {
    out.path = path_was_read(error) ? request_.path : copied_path(request_.path, error, out.buffer);
  }
  out.path_length = bounded_length(out.path);
  const bool made = error == 0 && created != trace::Created::no;
  const std::uint32_t final_mode = facts != nullptr ? facts->mode : 0;
  const bool surprising = (final_mode & 07777) != masked(request_, before_.mask);
  if (made && surprising && lies_in_shared_memory(request_.kind)) {
    out.parent = look_at_parent(author, Base{}, kSharedMemory, sizeof kSharedMemory - 1, true);
    out.directory = out.parent.id;
  }
  if (out.path_length == 0 || !lies_in_directory(request_.kind)) return;
  const LinkTarget target = made && may_follow_ && (request_.flags & (O_EXCL | O_NOFOLLOW)) == 0
                                ? link_target(request_.dirfd, out.path, fd_, out.buffer)
                                : LinkTarget{};
  const Scratch scratch;
  const char* const given = out.path;
  const std::uint32_t given_length = out.path_length;
  const Base base = find_recorded_base(author, task_, request_.dirfd, out.path, scratch);
  if (out.path != given) out.path_length = bounded_length(out.path);
  out.base = base.id;
  if (!made) return;
  if (target.length != 0) {
    out.target = record_target(author, target);
    const Base start = find_base(author, task_, request_.dirfd, target.text, scratch);
    out.parent = look_at_parent(author, start, target.text,
                                parent_length(target.text, target.length), surprising);
  } else {
    // With O_TMPFILE the path names the directory itself.
    const std::uint32_t length =
        request_.kind == trace::Kind::tmpfile ? given_length : parent_length(given, given_length);
    out.parent = look_at_parent(author, base, given, length, surprising);
  }
  out.directory = out.parent.id;
}

void Creation::write(const Author& author, const ObjectFacts* facts, trace::Created created,
                     int error, Snapshot& after, const Place& place) {
  trace::Create record{};
  describe(request_, task_, before_, after, created, error, record);
  if (facts != nullptr) {
    record.final_mode = facts->mode;
    record.dev = facts->dev;
    record.ino = facts->ino;
    record.birth_ns = facts->birth_ns;
    record.uid = facts->uid;
    record.gid = facts->gid;
  }
  record.kind = static_cast<std::uint8_t>(kind_of_mode(record.final_mode, request_.kind));
  record.base = place.base;
  record.directory = place.directory;
  record.target = place.target;
  record.path_length = place.path_length;

  if (facts != nullptr && created == trace::Created::yes &&
      mask_is_suspect(record, place.parent.default_acl, after) &&
      record_unseen_change(task_, request_.call, after)) {
    record.change_before = record.change_after = after.change;
    record.mask_before = record.mask_after = after.mask;
  }

  record.stack = place.stack;
  if (facts != nullptr && error == 0 && created != trace::Created::no) note_made(*facts);
  write_record(trace::RecordType::create, author, record, {place.path, record.path_length});
  if (__builtin_expect(watches_windows(), 0)) {
    if (logs(LogEvents::creations)) log(author, record, place);
    if (created == trace::Created::yes && facts != nullptr && !place.parent.default_acl) {
      log_window(author, note_creation(task_, before_, after, request_.mode, record.final_mode));
    }
  }
}

}  // namespace umaskaudit::shim
