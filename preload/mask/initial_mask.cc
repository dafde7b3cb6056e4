// Reads the mask that a context starts with; see initial_mask.h.

#include "preload/mask/initial_mask.h"

#include <cstring>
#include <initializer_list>

#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

void take_mask(void* mask) {
  *static_cast<std::uint32_t*>(mask) = static_cast<std::uint32_t>(sys::call(SYS_umask, 0));
}

// Runs in a task with a copy of the mask: its umask(0) has no effect on others.
InitialMask read_in_task() {
  std::uint32_t mask = 0;
  if (!run_in_task(take_mask, &mask, Apart::fs)) return {};
  return {static_cast<std::uint16_t>(mask & 0777), trace::MaskSource::child};
}

void probe(void* argument) {
  auto* result = static_cast<InitialMask*>(argument);
  for (const char* directory : {"/dev/shm", "/tmp"}) {
    const int fd = sys::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0777);
    if (fd < 0) continue;
    struct statx facts {};
    const int error = sys::facts(fd, "", AT_EMPTY_PATH, &facts);
    sys::close(fd);
    if (error != 0) continue;
    const auto mask = static_cast<std::uint16_t>(~facts.stx_mode & 0777);
    *result = {mask, trace::MaskSource::probe};
    return;
  }
}

// A directory with a default ACL would hide the mask; /dev/shm and /tmp have none by default.
InitialMask read_by_probe() {
  InitialMask result;
  run_in_own_table(probe, &result);
  return result;
}

struct StatusText {
  const char* path;
  char* text;
  std::size_t size;
  long length = -EAGAIN;
};

void read_status(void* argument) {
  auto* status = static_cast<StatusText*>(argument);
  status->length = sys::read_file(status->path, status->text, status->size);
}

// A task of ours has the same mask, because it shares the fs context (CLONE_FS).
long read_own_status(char* text, std::size_t size) {
  // For the first thread the file of the process says the same, and the kernel need not create the
  // entries of two more directories (15,000 cycles).
  const int tid = sys::gettid();
  const bool first = tid > 0 && tid == sys::getpid();
  StatusText status{first ? "/proc/self/status" : "/proc/thread-self/status", text, size};
  run_in_own_table(read_status, &status);
  return status.length;
}

}  // namespace

InitialMask read_proc_mask() {
  // The field is the second line; a thread's name is at most 15 escaped bytes.
  char text[256];
  const long size = read_own_status(text, sizeof text - 1);
  if (size <= 0) return {};
  text[size] = '\0';
  return find_mask(text);
}

InitialMask find_mask(const char* status) {
  const char* field = strstr(status, "\nUmask:\t");
  if (field == nullptr) return {};
  unsigned mask = 0;
  for (const char* digit = field + 8; *digit >= '0' && *digit <= '7'; ++digit) {
    mask = mask * 8 + static_cast<unsigned>(*digit - '0');
  }
  return {static_cast<std::uint16_t>(mask & 0777), trace::MaskSource::proc};
}

InitialMask read_initial_mask() {
  InitialMask found = read_proc_mask();
  if (found.source == trace::MaskSource::unknown) found = read_in_task();
  if (found.source == trace::MaskSource::unknown) found = read_by_probe();
  return found;
}

}  // namespace umaskaudit::shim
