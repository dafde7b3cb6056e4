// The public C API; see umaskaudit.h.

#include "preload/umaskaudit.h"

#include <errno.h>
#include <string.h>

#include "preload/hooks/wrapper.h"
#include "preload/mask/fs_context.h"
#include "preload/mask/initial_mask.h"
#include "preload/record/segment.h"
#include "preload/stack/stacks.h"
#include "preload/sys/sys.h"

using namespace umaskaudit::shim;  // NOLINT: the functions are extern "C"
namespace trace = umaskaudit::trace;

UMASKAUDIT_EXPORT mode_t getumask() {
  // A busy snapshot is acceptable: the mask may change at any time anyway.
  if (recording()) return snapshot(enter()).mask;
  return read_initial_mask().mask;
}

UMASKAUDIT_EXPORT void umaskaudit_annotate(const char* text) {
  if (text == nullptr || !recording()) return;
  const int saved = errno;
  const Task task = enter();
  const Author author{task.tid, task.pid};
  CapturedStack stack;
  capture_stack(Event::other, author, UMASKAUDIT_STACK_START(), stack);
  constexpr size_t kLongest = 1000;
  const auto length = static_cast<std::uint32_t>(strnlen(text, kLongest));
  write_record(trace::RecordType::note, author, trace::Note{stack.id, length}, {text, length});
  errno = saved;
}

UMASKAUDIT_EXPORT int umaskaudit_flush() {
  if (!recording() || !process.trace) return 0;
  const long error = sync_segment();
  if (error == 0) return 0;
  errno = static_cast<int>(-error);
  return -1;
}

UMASKAUDIT_EXPORT const char* umaskaudit_version() { return UMASKAUDIT_VERSION; }

// A program that was built with the shared runtime of AddressSanitizer refuses to start when any
// library comes before that runtime, unless this option says that it may. The program's own
// function of this name comes first and wins, as does ASAN_OPTIONS. Called before any constructor.
UMASKAUDIT_EXPORT const char* __asan_default_options();  // NOLINT: the name is ASan's
const char* __asan_default_options() { return "verify_asan_link_order=0"; }
