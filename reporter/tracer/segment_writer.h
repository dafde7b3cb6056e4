// SegmentWriter: a segment of the trace, written for another process; format.md describes every
// byte.
// Must never let a full disk raise SIGBUS, or a record be visible before it is complete. Used by
// the tracer's only thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "preload/trace/format.h"
#include "reporter/base/clock.h"

namespace umaskaudit::tracer {

// The task that a record is about.
struct Author {
  pid_t pid = 0;
  pid_t tid = 0;
  std::uint64_t time_ns = 0;  // CLOCK_MONOTONIC; 0: now
  std::uint16_t flags = 0;    // RecordHeader::flags
};

class SegmentWriter {
 public:
  // A new segment for the image of `pid` in the run directory, which may grow to `limit` bytes. If
  // none can be created, the writer accepts records without keeping them: run.state counts that.
  SegmentWriter(const std::string& directory, pid_t pid, pid_t parent, std::uint64_t limit);
  // Releases the unused part of the file.
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // `payload` is one of the trace's structures; `first` and `second` follow it. False: no room,
  // which is counted.
  template <typename Payload>
  bool write(trace::RecordType type, const Author& author, const Payload& payload,
             std::string_view first = {}, std::string_view second = {}) {
    static_assert(std::is_trivially_copyable_v<Payload>);
    return append(type, author, {reinterpret_cast<const char*>(&payload), sizeof payload}, first,
                  second);
  }

  std::uint32_t next_id(trace::IdSpace space);
  // The id of a directory's name, whose record is written once; 0 for an empty one.
  std::uint32_t path(const Author& author, const std::string& name);
  void count_loss(trace::Loss reason);

 private:
  bool append(trace::RecordType type, const Author& author, std::string_view payload,
              std::string_view first, std::string_view second);
  unsigned char* reserve(std::uint32_t length, std::uint64_t& offset);
  bool back(std::uint64_t end);
  int open_file(const std::string& directory, pid_t pid, pid_t parent, std::uint64_t limit);

  int fd_ = -1;
  unsigned char* map_ = nullptr;
  trace::SegmentHeader* header_ = nullptr;
  std::uint64_t limit_ = 0, tail_ = 0, backed_ = 0;
  std::unordered_map<std::string, std::uint32_t> paths_;
  std::uint32_t ids_[trace::kIdSpaces] = {};
};

}  // namespace umaskaudit::tracer
