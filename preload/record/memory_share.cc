// Reads the limits of control groups; see memory_share.h.

#include "preload/record/memory_share.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstring>

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint64_t kNone = UINT64_MAX;

// "max" is none; so is what is not there.
std::uint64_t read_number(const char* path) {
  char text[24];
  const long size = sys::read_file(path, text, sizeof text);
  std::uint64_t value = 0;
  long i = 0;
  for (; i < size && text[i] >= '0' && text[i] <= '9'; ++i) {
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return i > 0 ? value : kNone;
}

struct Span {
  const char* at;
  std::size_t length;
};

// Takes off what lies before the next `separator`, or all of it, and the separator.
Span take_until(Span& rest, char separator) {
  const auto* found = static_cast<const char*>(memchr(rest.at, separator, rest.length));
  const Span taken{rest.at,
                   found != nullptr ? static_cast<std::size_t>(found - rest.at) : rest.length};
  const std::size_t skipped = taken.length + (found != nullptr ? 1 : 0);
  rest = {rest.at + skipped, rest.length - skipped};
  return taken;
}

// A group and all above it, each of which has a limit of its own. In a container, whose own group
// is mounted as the topmost, those below it are not there under these names.
std::uint64_t smallest_limit(const char* top, Span group, const char* name) {
  char room[1024];
  std::uint64_t smallest = kNone;
  for (;;) {
    TextBuffer path(room, sizeof room);
    path.put(top).put(group.at, group.length).put('/').put(name).end();
    const std::uint64_t limit = read_number(path.begin());
    if (limit < smallest) smallest = limit;
    if (group.length == 0) return smallest;
    while (--group.length > 0 && group.at[group.length] != '/') {
    }
  }
}

bool has(Span list, const char* wanted) {
  while (list.length != 0) {
    const Span one = take_until(list, ',');
    if (one.length == strlen(wanted) && memcmp(one.at, wanted, one.length) == 0) return true;
  }
  return false;
}

// A line of /proc/self/cgroup, "4:memory:/group" or, of version 2, "0::/group".
std::uint64_t limit_of_line(Span line) {
  take_until(line, ':');
  const Span controllers = take_until(line, ':');
  if (controllers.length == 0) return smallest_limit("/sys/fs/cgroup", line, "memory.max");
  if (!has(controllers, "memory")) return kNone;
  return smallest_limit("/sys/fs/cgroup/memory", line, "memory.limit_in_bytes");
}

std::uint64_t limit_of_groups() {
  char room[4096];
  const long size = sys::read_file("/proc/self/cgroup", room, sizeof room);
  std::uint64_t smallest = kNone;
  for (Span rest{room, size > 0 ? static_cast<std::size_t>(size) : 0}; rest.length != 0;) {
    const std::uint64_t limit = limit_of_line(take_until(rest, '\n'));
    if (limit < smallest) smallest = limit;
  }
  return smallest;
}

}  // namespace

std::uint64_t share_of_memory(int directory, std::uint64_t least) {
  struct statfs filesystem {};
  if (sys::call(SYS_fstatfs, directory, sys::arg(&filesystem)) != 0) return kNone;
  const auto type = static_cast<unsigned long>(filesystem.f_type);
  if (type != TMPFS_MAGIC && type != RAMFS_MAGIC) return kNone;
  const std::uint64_t limit = limit_of_groups();
  if (limit == kNone) return kNone;
  return limit / 8 > least ? limit / 8 : least;
}

}  // namespace umaskaudit::shim
