// Reads arguments of calls; see call_reader.h.

#include "reporter/tracer/call_reader.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "preload/trace/object_facts.h"

namespace umaskaudit::tracer {

namespace {

std::uint64_t argument(const PendingCall& call, int index) {
  return index < 0 ? 0 : call.arguments[index];
}

bool read_name(pid_t tid, std::uint64_t address, std::string& out) {
  const auto text = read_text(tid, address);
  if (text) out = *text;
  return text.has_value();
}

std::string& known_root(const Task& task) {
  std::optional<std::string>& root = task.context->root;
  if (!root) root = root_of(task.tid);
  return *root;
}

bool read_path(const Task& task, std::uint64_t address, std::string& out) {
  if (!read_name(task.tid, address, out)) return false;
  if (known_root(task).empty()) out = without_proc_link(task.tid, std::move(out));
  return true;
}

// unix(7): a path, not an abstract name or an empty one.
bool read_socket(Task& task) {
  PendingCall& call = task.call;
  sockaddr_un address{};
  const std::size_t length = std::min<std::size_t>(call.arguments[2], sizeof address);
  const std::size_t got = read_memory(task.tid, call.arguments[1], &address, length);
  if (got <= offsetof(sockaddr_un, sun_path) || address.sun_family != AF_UNIX) return false;
  call.path.assign(address.sun_path, strnlen(address.sun_path, sizeof address.sun_path));
  if (call.path.empty()) return false;
  if (known_root(task).empty()) call.path = without_proc_link(task.tid, std::move(call.path));
  // The requested mode is the socket's own: 0777, unless fchmod(2) set another.
  const TakenDescriptor socket(task.process->descriptor, task.tid,
                               static_cast<int>(call.arguments[0]));
  struct statx facts {};
  call.mode = socket.look(&facts) ? facts.stx_mode & 07777u : 0777;
  return true;
}

bool read_how(Task& task) {
  PendingCall& call = task.call;
  open_how how{};
  const std::size_t size = std::min<std::size_t>(call.arguments[3], sizeof how);
  if (read_memory(task.tid, call.arguments[2], &how, size) < sizeof how.flags) return false;
  call.flags = how.flags;
  call.mode = static_cast<std::uint32_t>(how.mode);
  return may_create(call.flags);
}

// The attributes of setxattr(2) that affect modes.
bool is_permission(const std::string& attribute) {
  return attribute == "system.posix_acl_access" || attribute == "system.posix_acl_default";
}

bool read_attribute(Task& task) {
  PendingCall& call = task.call;
  return read_name(task.tid, call.arguments[1], call.attribute) && is_permission(call.attribute);
}

// Calls that may create an fs context: by CLONE_FS, or by flags that imply it (unshare(2)).
bool makes_context(const PendingCall& call) {
  return (call.flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)) != 0;
}

// Looks before the call, for kernels without F_CREATED_QUERY.
void look_before(Task& task) {
  PendingCall& call = task.call;
  struct statx facts {};
  call.existed = place_of(task, directory_of(call), call.path).look(true, &facts);
  call.before_dev = call.existed ? trace::device_of(facts) : 0;
  call.before_ino = call.existed ? facts.stx_ino : 0;
  call.looked = true;
}

}  // namespace

Place place_of(const Task& task, int dirfd, std::string path) {
  return {task.tid, dirfd, std::move(path), known_root(task)};
}

namespace {
int descriptor_in(const PendingCall& call, int index) {
  return index < 0 ? AT_FDCWD : static_cast<int>(call.arguments[index]);
}
}  // namespace

int directory_of(const PendingCall& call) { return descriptor_in(call, call.row->dirfd); }

int second_directory_of(const PendingCall& call) { return descriptor_in(call, call.row->dirfd2); }

bool read_call(Task& task, bool kernel_tells_creations) {
  PendingCall& call = task.call;
  const CallRow& row = *call.row;
  call.flags = argument(call, row.flags);
  call.mode = static_cast<std::uint32_t>(argument(call, row.mode));
  switch (row.effect) {
    case Effect::mask:
    case Effect::uring:
      return true;
    case Effect::open:
      if (row.flags < 0) call.flags = O_CREAT | O_WRONLY | O_TRUNC;  // creat(2)
      if (!may_create(call.flags)) return false;
      break;
    case Effect::open_how:
      if (!read_how(task)) return false;
      break;
    case Effect::make:
      call.flags = O_CREAT | O_EXCL;
      break;
    case Effect::queue:
      if ((call.flags & O_CREAT) == 0) return false;
      call.unread = !read_name(task.tid, call.arguments[0], call.path);
      call.path.insert(0, 1, '/');  // libc's name has a leading slash (mq_overview(7))
      return true;
    case Effect::bind:
      call.flags = O_CREAT | O_EXCL;
      return read_socket(task);
    case Effect::attribute:
      if (!read_attribute(task)) return false;
      break;
    case Effect::unshare:
      return makes_context(call);
    case Effect::name_thread:
      return call.arguments[0] == PR_SET_NAME && read_name(task.tid, call.arguments[1], call.path);
    default:
      break;
  }
  if (row.path >= 0) call.unread = !read_path(task, call.arguments[row.path], call.path);
  if (row.path2 >= 0) call.unread |= !read_path(task, call.arguments[row.path2], call.second);
  call.before_ns = static_cast<std::int64_t>(now_ns(CLOCK_REALTIME_COARSE));
  const bool opens = row.effect == Effect::open || row.effect == Effect::open_how;
  if (opens && !kernel_tells_creations && !is_exclusive(call.flags)) look_before(task);
  return true;
}

}  // namespace umaskaudit::tracer
