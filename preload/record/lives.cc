#include "preload/record/lives.h"

#include <cstring>
#include <iterator>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

using trace::RecordHeader;

// The column of record_types.def, by type.
enum class Living : unsigned char { none, process, thread, owner, child };
constexpr Living kLiving[] = {
#define RECORD(identifier, number, structure, event, stack, context, order, use, living, ...) \
  Living::living,
#include "preload/trace/record_types.def"
#undef RECORD
};

// tgkill(2) with signal 0 sends nothing. EPERM: it exists, and has become another user's.
bool thread_exists(std::uint32_t pid, std::uint32_t tid) {
  const long result = sys::call(SYS_tgkill, static_cast<int>(pid), static_cast<int>(tid), 0);
  return result == 0 || result == -EPERM;
}

bool process_exists(std::uint32_t pid) {
  const long result = sys::call(SYS_kill, static_cast<int>(pid), 0);
  return result == 0 || result == -EPERM;
}

template <typename Payload>
Payload payload_of(const RecordHeader& record) {
  Payload payload{};
  if (record.length >= sizeof record + sizeof payload)
    memcpy(&payload, &record + 1, sizeof payload);
  return payload;
}

}  // namespace

bool introduces_living(const RecordHeader& record) {
  if (record.pid == 0 || record.type >= std::size(kLiving)) return false;
  switch (kLiving[record.type]) {
    case Living::none:
      return false;
    case Living::process:
      return process_exists(record.pid);
    case Living::thread:
      return thread_exists(record.pid, record.tid);
    case Living::owner: {
      const auto owner = payload_of<trace::Context>(record).owner;
      return owner != 0 && thread_exists(record.pid, owner);
    }
    case Living::child: {
      const auto child = payload_of<trace::Fork>(record).child;
      return child != 0 && process_exists(child);
    }
  }
  return false;
}

}  // namespace umaskaudit::shim
