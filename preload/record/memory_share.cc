// Reads the memory limits of control groups; see memory_share.h.

#include "preload/record/memory_share.h"

#include <linux/magic.h>

#include <cstring>
#include <new>

#include "preload/sys/format_text.h"
#include "preload/sys/own_table.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint64_t kNone = UINT64_MAX;

// "max" means no limit; a missing file too.
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

// Splits off the part before the next `separator`, or all of it.
Span take_until(Span& rest, char separator) {
  const auto* found = static_cast<const char*>(memchr(rest.at, separator, rest.length));
  const Span taken{rest.at,
                   found != nullptr ? static_cast<std::size_t>(found - rest.at) : rest.length};
  const std::size_t skipped = taken.length + (found != nullptr ? 1 : 0);
  rest = {rest.at + skipped, rest.length - skipped};
  return taken;
}

struct Files {
  char path[1024];
  char groups[4096];
  std::uint64_t smallest;  // the result
};
static_assert(sizeof(Files) <= Scratch::kSize);

// Reads the limits of a group and of all its ancestors. In a container, where its own group is
// mounted as the root, groups of the host have no names.
std::uint64_t smallest_limit(const char* top, Span group, const char* name, Files& room) {
  std::uint64_t smallest = kNone;
  for (;;) {
    TextBuffer path(room.path, sizeof room.path);
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
std::uint64_t limit_of_line(Span line, Files& room) {
  take_until(line, ':');
  const Span controllers = take_until(line, ':');
  if (controllers.length == 0) return smallest_limit("/sys/fs/cgroup", line, "memory.max", room);
  if (!has(controllers, "memory")) return kNone;
  return smallest_limit("/sys/fs/cgroup/memory", line, "memory.limit_in_bytes", room);
}

void read_limits(void* argument) {
  auto& room = *static_cast<Files*>(argument);
  const long size = sys::read_file("/proc/self/cgroup", room.groups, sizeof room.groups);
  std::uint64_t smallest = kNone;
  for (Span rest{room.groups, size > 0 ? static_cast<std::size_t>(size) : 0}; rest.length != 0;) {
    const std::uint64_t limit = limit_of_line(take_until(rest, '\n'), room);
    if (limit < smallest) smallest = limit;
  }
  room.smallest = smallest;
}

}  // namespace

bool is_memory(unsigned long filesystem) {
  return filesystem == TMPFS_MAGIC || filesystem == RAMFS_MAGIC;
}

bool read_share_of_memory(std::uint64_t least, std::uint64_t& share) {
  const Scratch buffer;
  if (buffer.get() == nullptr) return false;
  auto& room = *new (buffer.get()) Files;
  if (!run_in_own_table(read_limits, &room)) return false;
  const std::uint64_t limit = room.smallest;
  share = limit;
  if (limit != kNone) share = limit / 8 > least ? limit / 8 : least;
  return true;
}

}  // namespace umaskaudit::shim
