// Asks the kernel whether processes and threads exist; see lives.h.

#include "preload/record/lives.h"

#include <cstring>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

using trace::RecordHeader;
using trace::RecordType;

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
  if (record.pid == 0) return false;
  switch (static_cast<RecordType>(record.type)) {
    case RecordType::process:
    case RecordType::exec:
    case RecordType::exec_failed:
      return process_exists(record.pid);
    case RecordType::thread:
      return thread_exists(record.pid, record.tid);
    case RecordType::context: {
      const auto owner = payload_of<trace::Context>(record).owner;
      return owner != 0 && thread_exists(record.pid, owner);
    }
    case RecordType::fork: {
      const auto child = payload_of<trace::Fork>(record).child;
      return child != 0 && process_exists(child);
    }
    default:
      return false;
  }
}

}  // namespace umaskaudit::shim
