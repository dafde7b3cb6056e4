// Segment: one segment file: its header, the tables that its records define, and the few facts
// about its events that must be known before the first event is shown. Must never grow with the
// number of events, except mask changes (32 bytes each; folded ones by the fold). Filled when a run
// is opened, read-only afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/script_stack.h"
#include "reporter/reader/segment/id_table.h"
#include "reporter/reader/segment/layout.h"
#include "reporter/reader/segment/mask_history.h"
#include "reporter/reader/segment/out_of_order_records.h"
#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/scanner.h"
#include "reporter/reader/segment/segment_file.h"
#include "reporter/reader/segment/string_pool.h"

namespace umaskaudit::reader {

struct StackSpan {
  std::uint32_t first = 0;  // in Segment::frames
  std::uint16_t count = 0;
  std::uint16_t flags = 0;
};

// A language runtime, by the module that it was found in.
struct RuntimeFact {
  trace::Runtime facts{};
  std::string_view text;
};

struct ScriptPlace {
  trace::ScriptFrame facts{};
  std::string_view function;
};

struct ScriptSpan {
  trace::ScriptStack facts{};
  std::uint32_t first = 0;  // in Segment::script_words
};

struct LocalContext {
  std::uint32_t parent = 0;
  std::uint64_t parent_change = 0;
  std::uint32_t owner = 0;
  trace::Origin origin = trace::Origin::unknown;
  std::uint64_t born_ns = 0;
  Mode mask = 0;  // initial mask
};

// A Process record: a program from its exec on, or a child forked from one.
struct Image {
  trace::Process facts{};
  std::uint64_t offset = 0;
  std::uint64_t time_ns = 0;
  std::string_view exe, comm;

  trace::Origin origin() const { return static_cast<trace::Origin>(facts.origin); }
  // Not later than the process began, by at most a clock tick and a millisecond; 0: not known.
  std::uint64_t began_ns() const;
};

// PID name spaces by inode number; 0 is not known, and matches any.
inline bool may_be_same_namespace(std::uint32_t a, std::uint32_t b) {
  return a == 0 || b == 0 || a == b;
}

struct ExecFact {
  std::uint64_t offset = 0, time_ns = 0;
  std::uint32_t pid = 0, tid = 0, context = 0;
  std::int32_t error = 0;  // of the ExecFailed record that followed
  std::uint32_t stack = 0;
  std::string_view path;
};

struct ForkFact {
  std::uint64_t time_ns = 0, change = 0;
  std::uint32_t child = 0, context = 0;  // child 0: a shell that libc starts
  trace::Origin origin = trace::Origin::unknown;
  std::uint32_t stack = 0;
  std::uint32_t pid = 0, tid = 0;  // of the parent
};

// A pthread_create, as the creator recorded it.
struct BirthFact {
  std::uint32_t pid = 0;
  std::uint64_t handle = 0, time_ns = 0, offset = 0;
  std::uint32_t created_tid = 0;
};

struct TidFact {
  std::string_view first_name;
  std::uint64_t handle = 0;  // of the latest thread with that tid
};

struct ThreadFact {
  std::uint32_t pid = 0;
  std::uint64_t handle = 0, first_ns = 0;
  std::uint32_t tid = 0;
};

// A change that found another mask than the process had left: a drift.
struct DriftFact {
  std::uint64_t time_ns = 0, change = 0;
  std::uint32_t context = 0;
  std::uint16_t call = 0;
  std::uint16_t found = 0;  // the mask
};

// A blind spot that the shim recorded for an exec.
struct BlindFact {
  std::uint32_t tid = 0;
  std::uint64_t time_ns = 0;
  std::uint32_t pid = 0, context = 0;
  trace::Blind reason = trace::Blind::other;
};

// For an exec: the reason why no image follows.
bool names_exec(trace::Blind reason);

// Mask changes that were folded into one record, or into a cell of the header.
struct FoldFact {
  trace::RecordHeader head{};
  trace::Fold fold{};
  std::uint64_t offset = 0;
};

// What the second pass reads of one lane, in that order.
struct LaneRecords {
  std::vector<Extent> extents;
  OutOfOrderRecords late;
};

struct Segment {
  Segment(SegmentFile opened, std::uint32_t number) : file(std::move(opened)), index(number) {}

  SegmentFile file;
  std::uint32_t index;
  std::uint64_t stamp = 0;  // hex part of the name
  std::uint32_t pid = 0;
  trace::SegmentHeader header{};
  bool header_damaged = false;
  std::vector<std::uint64_t> repeats;  // trace::Repeat::count, by index
  Layout layout;
  ScanResult scan;  // its extents are those of the lanes
  std::array<LaneRecords, kLanes> lanes;
  std::vector<trace::Total> totals;     // those that count something
  trace::Ring ring{};                   // its header; zeroes: there is none
  std::uint64_t unknown_records = 0;    // of a type that this reader does not know
  std::uint64_t malformed_records = 0;  // shorter than their type
  std::uint64_t events = 0;
  std::uint64_t first_ns = 0, last_ns = 0;  // of its events; 0 when there are none

  std::vector<Image> images;  // the program first, then the children it forked
  std::unordered_map<std::uint32_t, std::string_view> comms;  // by pid
  std::vector<std::string_view> calls;
  IdTable<ModuleInfo> modules;
  IdTable<StackSpan> stacks;
  std::vector<std::uint64_t> frames;
  std::map<std::uint32_t, RuntimeFact> runtimes;  // by module; the latest record of a module counts
  IdTable<ScriptPlace> script_frames;
  IdTable<ScriptSpan> scripts;  // their ids are stacks'
  std::vector<std::uint32_t> script_words;
  IdTable<std::string_view> paths;
  IdTable<ParentFacts> directories;
  IdTable<LocalContext> contexts;
  // For a growing run: no context with an id up to here is still to come, except lost ones.
  std::uint32_t contexts_through = UINT32_MAX;
  std::unordered_map<std::uint32_t, MaskHistory> histories;  // by context
  // PID name spaces other than the program's, by the context that a forked child began in.
  std::unordered_map<std::uint32_t, std::uint32_t> pid_namespaces;
  std::unordered_map<std::uint32_t, TidFact> tids;
  std::vector<ThreadFact> threads;
  std::vector<BirthFact> births;
  std::vector<ExecFact> execs;
  std::unordered_map<std::uint32_t, std::size_t> last_exec;  // by tid, in execs
  std::vector<ForkFact> forks;
  std::vector<FoldFact> folds;
  std::vector<DriftFact> drifts;
  std::vector<BlindFact> told_blind;  // blind spots that name an exec
  std::uint64_t blind_reasons = 0;    // 1 << trace::Blind of all others; 1 << 63: unknown ones

  trace::Recorder recorder() const;
  LaneRecords& of(Lane lane) { return lanes[static_cast<std::size_t>(lane)]; }
  const LaneRecords& of(Lane lane) const { return lanes[static_cast<std::size_t>(lane)]; }
  // The lane in which folds are expanded.
  Lane lane_of_folds() const { return layout.has_ring() ? Lane::changes : Lane::kept; }
  // Mask changes were made that the shim saw but could not record.
  bool dropped_changes() const;
  // The program that the segment belongs to; nothing when its record was lost.
  const Image* image() const { return images.empty() ? nullptr : &images.front(); }
  // The PID name space of a task in that context; 0: not known.
  std::uint32_t pid_namespace_of(std::uint32_t context) const;
  std::uint64_t start_ns() const { return images.empty() ? stamp : images.front().time_ns; }
  // The native frames, innermost first; empty when no such stack is known.
  std::vector<RawFrame> frames_of(std::uint32_t stack) const;
  // Null: the stack is native only.
  const ScriptSpan* script_span(std::uint32_t stack) const;
  std::optional<ScriptStack> script_of(std::uint32_t stack) const;
  bool stack_truncated(std::uint32_t stack) const;
  // The name of process `pid`, or of the image if it has no record.
  std::string_view comm_of(std::uint32_t pid) const;
  std::string_view call(std::uint16_t number) const {
    return number < calls.size() ? calls[number] : std::string_view{};
  }
};

// Of all segments, each once.
std::vector<ScriptRuntime> runtimes_of(const std::vector<std::unique_ptr<Segment>>& segments);

// Offset of the first record.
inline std::uint64_t first_record(const Segment& segment) {
  return segment.header_damaged ? sizeof(trace::SegmentHeader) : segment.header.header_length;
}

// Adds one record of the first pass to the tables. `pool` stores its strings.
void learn(const Record& record, Segment* segment, StringPool* pool);
// The same for a valid fold, from a record or a cell: its numbers can be those of changes that were
// made.
bool is_sound(const trace::Fold& fold);
void learn_fold(const FoldFact& fact, Segment* segment);
// Call once after the last record.
void finish(Segment* segment);
// For a growing segment, after a few records each: makes the tables usable, and drops what only a
// finished run needs.
void settle(Segment* segment);

}  // namespace umaskaudit::reader
