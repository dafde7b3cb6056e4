// Stores the name of the root directory as seen from outside; see root.h.

#include "preload/mask/root.h"

#include <atomic>

#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

char root[4096];
constinit std::atomic<std::uint32_t> length = 0;

struct NewRoot {
  const char* path;
  char* out;
  std::uint32_t size;
  std::uint32_t length = 0;
};

void name_directory(void* argument) {
  auto* asked = static_cast<NewRoot*>(argument);
  const int fd = sys::open(asked->path, O_PATH | O_CLOEXEC | O_DIRECTORY);
  if (fd < 0) return;
  asked->length = name_of_open_file(fd, asked->out, asked->size);
  sys::close(fd);
}

}  // namespace

std::uint32_t name_of_open_file(int fd, char* out, std::uint32_t size) {
  // Of the thread, not of the process: a task of ours has other descriptors (own_table.h).
  char link[40];
  TextBuffer text(link, sizeof link);
  text.put("/proc/thread-self/fd/").decimal(static_cast<unsigned>(fd)).end();
  const long found = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link), sys::arg(out), size);
  if (found <= 0 || found >= static_cast<long>(size)) return 0;
  out[found] = '\0';
  return static_cast<std::uint32_t>(found);
}

std::uint32_t name_new_root(const char* path, char* out, std::uint32_t size) {
  NewRoot asked{path, out, size};
  run_in_own_table(name_directory, &asked);
  return asked.length;
}

void move_root(const char* name, std::uint32_t name_length) {
  const std::uint32_t old = length.load(std::memory_order_acquire);
  if (name_length <= 1 || old + name_length > sizeof root) return;
  memcpy(root + old, name, name_length);
  length.store(old + name_length, std::memory_order_release);
}

void lose_root() { length.store(0, std::memory_order_release); }

std::uint32_t root_length() { return length.load(std::memory_order_acquire); }

void put_root(TextBuffer& text) { text.put(root, root_length()); }

}  // namespace umaskaudit::shim
