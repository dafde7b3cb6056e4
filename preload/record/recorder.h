// Writes records into the segment, each committed by its checksum.
// Must never block, allocate or change errno; safe in signal handlers and vfork children. Without
// an open segment (live log only) these functions have no effect, except that ids are still
// assigned.
#pragma once

#include <cstdint>

#include "preload/record/segment.h"
#include "preload/state.h"
#include "preload/trace/format.h"

namespace umaskaudit::shim {

struct Bytes {
  const void* data = nullptr;
  std::uint32_t length = 0;
};

struct Author {
  std::uint32_t tid;
  std::uint32_t pid = process.pid.load(std::memory_order_relaxed);
  std::uint64_t time_ns = 0;  // 0: now
  std::uint16_t flags = 0;
  std::uint32_t repeat = 0;  // RecordHeader::repeat
};

// A record that is being written. `at` is null when it was lost, which has been counted.
struct Draft {
  unsigned char* at = nullptr;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};
Draft begin_record(trace::RecordType type, const Author& author, std::uint32_t payload_size);
// Completes a record whose payload is written: appends more bytes, the padding, and the checksum.
void commit_record(const Draft& draft, std::uint32_t payload_size, Bytes first, Bytes second);

// Writes a record; false: it was lost, which has been counted. Inline, so that payload sizes are
// constants.
template <typename Payload>
bool write_record(trace::RecordType type, const Author& author, const Payload& payload,
                  Bytes first = {}, Bytes second = {}) {
  if (!process.trace) return true;
  const Draft draft = begin_record(
      type, author, static_cast<std::uint32_t>(sizeof payload) + first.length + second.length);
  if (draft.at == nullptr) return false;
  __builtin_memcpy(draft.at + sizeof(trace::RecordHeader), &payload, sizeof payload);
  commit_record(draft, sizeof payload, first, second);
  return true;
}
template <typename Payload>
bool write_record(trace::RecordType type, std::uint32_t tid, const Payload& payload) {
  return write_record(type, Author{tid}, payload);
}

std::uint32_t next_id(trace::IdSpace space);

// The path id of a directory name, whose record is written once. 0: lost.
std::uint32_t intern_path(const Author& author, const char* path, std::uint32_t length);

// Writes a thread record: the calling thread's name (prctl(2)), and its context. `handle`: its
// pthread_self(); 0 for a vfork child.
void write_thread_record(const Author& author, std::uint32_t context, std::uint64_t handle);

// Writes the first record of an image, or of a forked child in it.
void write_process_record(trace::Origin origin, const trace::Context& context);
void write_call_names(std::uint32_t tid);

}  // namespace umaskaudit::shim
