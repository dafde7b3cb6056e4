// Assembles, pads, checksums and commits records; see recorder.h.

#include "preload/record/recorder.h"

#include <linux/prctl.h>
#include <pthread.h>

#include <cstring>

#include "preload/record/intern.h"
#include "preload/record/segment.h"
#include "preload/record/shared_ids.h"
#include "preload/sys/process_identity.h"
#include "preload/sys/real.h"
#include "preload/sys/sys.h"
#include "preload/trace/checksum.h"

namespace umaskaudit::shim {

namespace {

constinit InternTable paths;
constinit std::atomic<std::uint32_t> local_ids[trace::kIdSpaces] = {};  // when there is no segment

unsigned char* append(unsigned char* at, Bytes bytes) {
  if (bytes.length != 0) memcpy(at, bytes.data, bytes.length);
  return at + bytes.length;
}

// Records that later ones refer to are kept; see ChunkUse.
constexpr trace::ChunkUse kUses[] = {
#define RECORD(identifier, number, structure, event, stack, context, order, use, ...) \
  trace::ChunkUse::use,
#include "preload/trace/record_types.def"
#undef RECORD
};
trace::ChunkUse use_of(trace::RecordType type) { return kUses[static_cast<unsigned>(type)]; }

}  // namespace

Draft begin_record(trace::RecordType type, const Author& author, std::uint32_t payload_size) {
  const std::uint32_t size = static_cast<std::uint32_t>(sizeof(trace::RecordHeader)) + payload_size;
  const std::uint32_t length = (size + trace::kRecordAlign - 1) & ~(trace::kRecordAlign - 1);
  if (length > trace::kMaxRecord) {
    count_loss(trace::Loss::too_long);
    return {};
  }
  ++thread_state.records;
  const Space space = reserve(length, use_of(type));
  if (space.at == nullptr) return {};
  // Writes in place, because a copy would need too much of a small stack. The commit word stays 0
  // until the record is complete.
  auto& header = *reinterpret_cast<trace::RecordHeader*>(space.at);
  header.length = length;
  header.type = static_cast<std::uint16_t>(type);
  header.flags = author.flags;
  header.tid = author.tid;
  header.time_ns = author.time_ns != 0 ? author.time_ns : sys::now_ns();
  header.pid = author.pid;
  header.repeat = author.repeat;
  return {space.at, space.offset, length};
}

void commit_record(const Draft& draft, std::uint32_t payload_size, Bytes first, Bytes second) {
  unsigned char* at = draft.at + sizeof(trace::RecordHeader) + payload_size;
  at = append(append(at, first), second);
  unsigned char* const end = draft.at + draft.length;
  while (at < end) *at++ = 0;  // less than kRecordAlign
  const std::uint32_t commit = trace::record_checksum(draft.at, draft.length, draft.offset);
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(draft.at), commit, __ATOMIC_RELEASE);
}

std::uint32_t next_id(trace::IdSpace space) {
  const auto index = static_cast<unsigned>(space);
  trace::SegmentHeader* header = segment_header();
  if (header == nullptr) return local_ids[index].fetch_add(1, std::memory_order_relaxed) + 1;
  return __atomic_fetch_add(&header->next_id[index], 1, __ATOMIC_RELAXED);
}

std::uint32_t intern_path(const Author& author, const char* path, std::uint32_t length) {
  if (!process.trace || length == 0) return 0;
  const std::uint64_t hash = hash_bytes(path, length);
  std::uint32_t id = paths.find(hash);
  if (id != 0) return id;
  id = find_shared_id(trace::IdSpace::path, hash);
  if (id == 0) {
    id = next_id(trace::IdSpace::path);
    if (!write_record(trace::RecordType::path, author, trace::Path{id, length}, {path, length})) {
      count_loss(trace::Loss::path_dropped);
      return 0;
    }
    share_id(trace::IdSpace::path, hash, id);
  }
  paths.insert(hash, id);
  return id;
}

void write_thread_record(const Author& author, std::uint32_t context, std::uint64_t handle) {
  trace::Thread record{};
  record.tid = author.tid;
  record.context = context;
  record.handle = handle;
  sys::call(SYS_prctl, PR_GET_NAME, sys::arg(record.name));
  write_record(trace::RecordType::thread, author, record);
}

void write_process_record(trace::Origin origin, const trace::Context& context) {
  trace::Process record{};
  record.pid = process.pid.load(std::memory_order_relaxed);
  record.ppid = static_cast<std::uint32_t>(sys::call(SYS_getppid));
  record.origin = static_cast<std::uint8_t>(origin);
  // Whether a child is in its parent's PID name space: then getppid(2) is not 0.
  const bool known = origin == trace::Origin::exec && process.pid_namespace != 0;
  if (!known && (origin == trace::Origin::exec || record.ppid == 0)) {
    process.pid_namespace = read_pid_namespace();
  }
  record.pid_namespace = process.pid_namespace;
  record.age_ms = origin == trace::Origin::exec ? read_process_age() : 0;
  record.mask_source = context.mask_source;
  record.mask = context.mask;
  record.context = context.id;
  record.parent_context = context.parent;
  record.parent_change = context.parent_change;
  record.uid = static_cast<std::uint32_t>(sys::call(SYS_getuid));
  record.euid = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
  record.gid = static_cast<std::uint32_t>(sys::call(SYS_getgid));
  record.egid = static_cast<std::uint32_t>(sys::call(SYS_getegid));
  record.exe_length = process.exe_length;
  memcpy(record.comm, process.comm, sizeof record.comm);
  write_record(trace::RecordType::process, Author{context.owner}, record,
               {process.exe, process.exe_length});
}

void write_call_names(std::uint32_t tid) {
  write_record(trace::RecordType::call_names, Author{tid},
               trace::CallNames{kCallNamesBytes, kCalls}, {kCallNames, kCallNamesBytes});
}

}  // namespace umaskaudit::shim
