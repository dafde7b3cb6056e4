// Writes valid trace segments, and run directories of them, without the shim.
// Must never call the reader: what it writes is the reader's ground truth. Called by the tests of
// the model, of the rules and renderers, and by the fuzzer's seeds.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit::testing {

// Process, thread and time of a record. pid 0: that of the segment.
struct Author {
  std::uint32_t tid = 0;
  std::uint64_t time_ns = 0;
  std::uint16_t flags = 0;
  std::uint32_t pid = 0;
  std::uint32_t repeat = 0;
};

class SegmentBuilder {
 public:
  // `stamp`: CLOCK_MONOTONIC of the segment's start, which is in its name.
  explicit SegmentBuilder(std::uint32_t pid, std::uint64_t stamp = 1000);

  // Each appends one record and returns its offset in the file.
  std::uint64_t process(const Author& author, trace::Process fixed, std::string_view exe,
                        std::string_view comm);
  std::uint64_t thread(const Author& author, trace::Thread fixed, std::string_view name);
  std::uint64_t module(const Author& author, trace::Module fixed, std::string_view build_id,
                       std::string_view path);
  std::uint64_t stack(const Author& author, trace::Stack fixed,
                      const std::vector<std::uint64_t>& frames);
  std::uint64_t path(const Author& author, std::uint32_t id, std::string_view text);
  std::uint64_t runtime(const Author& author, trace::Runtime fixed, std::string_view text);
  std::uint64_t script_frame(const Author& author, trace::ScriptFrame fixed,
                             std::string_view function);
  std::uint64_t script_stack(const Author& author, trace::ScriptStack fixed,
                             const std::vector<std::uint32_t>& frames);
  std::uint64_t context(const Author& author, trace::Context fixed);
  std::uint64_t umask(const Author& author, trace::Umask fixed);
  std::uint64_t create(const Author& author, trace::Create fixed, std::string_view path);
  std::uint64_t directory(const Author& author, trace::Directory fixed, std::string_view acl);
  std::uint64_t exec(const Author& author, trace::Exec fixed, std::string_view path);
  std::uint64_t exec_failed(const Author& author, std::int32_t error);
  std::uint64_t fork(const Author& author, trace::Fork fixed);
  std::uint64_t blind_spot(const Author& author, trace::BlindSpot fixed, std::string_view text);
  std::uint64_t note(const Author& author, std::uint32_t stack, std::string_view text);
  std::uint64_t thread_create(const Author& author, trace::ThreadCreate fixed);
  std::uint64_t chmod(const Author& author, trace::Chmod fixed, std::string_view path);
  std::uint64_t rename(const Author& author, trace::Rename fixed, std::string_view from,
                       std::string_view to);
  std::uint64_t call_names(const Author& author, std::initializer_list<std::string_view> names);
  std::uint64_t pad(std::uint32_t length);

  // Any record: `payload` as it is, padded to kRecordAlign.
  std::uint64_t record(std::uint16_t type, const Author& author, std::string_view payload);
  // A record whose writer died: all of `length` is reserved, its header is there when `begun`.
  std::uint64_t unfinished(std::uint32_t length, bool begun);
  std::uint64_t zeros(std::uint64_t count);

  // The next record goes there.
  void seek(std::uint64_t offset) { at_ = offset; }
  // What keep=latest adds to a segment: the regions of the ring, for so many chunks, and of the
  // totals, one behind the other.
  void add_ring(std::uint64_t offset, std::uint32_t chunks);
  // The totals alone.
  void add_totals(std::uint64_t offset);
  trace::Ring& ring() { return ring_; }
  trace::RingChunk& entry(std::uint32_t chunk) { return entries_.at(chunk); }
  // The next record is the first one of that chunk, which is taken into use and holds zeros.
  void take_chunk(std::uint32_t chunk, trace::ChunkUse use);
  void total(const trace::Total& cell) { totals_.push_back(cell); }

  trace::SegmentHeader& header() { return header_; }
  // The whole file.
  std::string bytes() const;
  std::string name() const;
  std::uint64_t size() const { return sizeof header_ + records_.size(); }

 private:
  std::uint64_t place(std::uint64_t length);
  void put(std::uint64_t offset, std::string_view bytes);

  trace::SegmentHeader header_{};
  std::string records_;
  std::uint64_t at_ = sizeof header_;
  trace::Ring ring_{};
  std::vector<trace::RingChunk> entries_;
  std::uint64_t ring_at_ = 0, totals_at_ = 0;  // whatever the header says
  std::vector<trace::Total> totals_;
};

// A temporary directory that goes away with the object.
class RunDirectory {
 public:
  RunDirectory();
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }
  // What the file holds from now on; it stays the same file.
  void write(const std::string& name, std::string_view bytes) const;
  void add(const SegmentBuilder& segment) const { write(segment.name(), segment.bytes()); }

 private:
  std::string path_;
};

// The image's first records, as the shim writes them: process (context 1, mask 022), call names
// ("open", "mkdir", "umask", "execve", "fork", "chmod", "rename", "pthread_create": calls 0 to 7),
// main thread named `comm`, context. Takes the segment's pid and stamp.
void begin_image(SegmentBuilder* segment, std::string_view comm,
                 trace::Origin origin = trace::Origin::exec);

}  // namespace umaskaudit::testing
