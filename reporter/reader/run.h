// Run: a run directory, opened for reading: all segments merged into one stream of events.
// Must never execute or follow anything a trace names, never write, never trust a length. Memory is
// bounded by distinct paths, stacks, modules, processes and contexts, not by the number of events.
// Not thread-safe; one reader per Run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/events/dropped.h"
#include "reporter/events/events.h"
#include "reporter/events/stack_source.h"

namespace umaskaudit::reader {

// Completeness: what the run as a whole could not see or keep; every format shows it.
struct Completeness {
  std::uint64_t records = 0;          // valid records
  std::uint64_t images = 0;           // process images that wanted a segment
  std::uint64_t segments = 0;         // segments found
  std::uint64_t segments_failed = 0;  // images that could not open one
  std::uint64_t damaged_bytes = 0;    // skipped: torn, flipped, truncated
  std::uint64_t damages = 0;          // places where that happened
  std::uint64_t unfinished = 0;  // records reserved and never committed: the process was killed
  std::uint64_t unknown_records = 0;  // of a newer minor version, skipped by length
  std::uint64_t lost[trace::kLossKinds] = {};
  std::vector<LossEvent> losses;  // the same as text
  // True: something may have been created without a record: by a program that was not recorded,
  // behind another blind spot, in lost records, or by a process that changed a mask unseen.
  bool hides_creations = false;
  bool hides_owners = false;  // and possibly as a user that no recorded process had
  // The number of missing records, as far as it is known: a damaged place and an image without a
  // segment count as one each, though either may have had many.
  std::uint64_t total_lost() const;
};

// Called from time to time with the progress of a pass: `done` of `total` records, 0 while that is
// unknown; equal at the end of a pass.
using Ticker = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Run : public StackSource {
 public:
  // Opens and indexes `directory` (or a single .seg file). Errors: missing, not a run, unreadable,
  // a newer major version in every segment (both versions are named). A damaged segment is no
  // error: it becomes a LossEvent.
  // `ticker` is called for this pass and for those of for_each.
  // `shown`: the result of directory(), where the files are at a place that the user did not name.
  static Result<Run> open(const std::string& directory, Ticker ticker = nullptr,
                          const std::string& shown = "");

  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run() override;

  // Calls `visit` for each event in merged order: by time, and within one fs context by the order
  // of its mask changes, which needs no clock. May be called again. Return false from `visit` to
  // stop early. The losses of completeness() come last, as events. An exec that did not fail, has
  // no blind spot and was followed by no recorded image comes as a BlindSpotEvent. `folds`: how
  // folded mask changes are passed on; their numbers, ids and seqs are the same either way.
  void for_each(const std::function<bool(const Event&)>& visit, Detail detail = Detail::full,
                Folds folds = Folds::expanded) const;
  void for_each_folded(const std::function<bool(const Event&)>& visit) const {
    for_each(visit, Detail::full, Folds::folded);
  }

  const Completeness& completeness() const;
  // Counts of events that were not recorded, or were recorded and dropped later.
  const Dropped& dropped() const;
  const std::string& directory() const;  // as the user named it
  const std::string& place() const;      // of the files
  // Images and recorded children, oldest first. Their seq is 0: only for_each knows it.
  const std::vector<ProcessEvent>& processes() const;
  // CLOCK_MONOTONIC of the first and last event, and CLOCK_REALTIME of the first.
  std::uint64_t begin_ns() const;
  std::uint64_t end_ns() const;
  std::uint64_t begin_real_ns() const;
  // CLOCK_REALTIME of any moment of CLOCK_MONOTONIC.
  std::uint64_t real_ns(std::uint64_t time_ns) const;
  // /proc/sys/kernel/random/boot_id (random(4)) of where the run was recorded, as its 16 bytes;
  // zeroes: not known.
  std::array<std::uint8_t, 16> boot_id() const;

  std::vector<RawFrame> stack(StackRef ref) const override;
  std::optional<ScriptStack> script(StackRef ref) const override;
  bool stack_truncated(StackRef ref) const override;
  StackRef started(std::uint32_t segment) const override;
  std::vector<ScriptRuntime> runtimes() const override;
  std::uint32_t pid(std::uint32_t segment) const override;
  const ModuleInfo* module(std::uint32_t segment, std::uint32_t id) const override;

 private:
  struct State;
  explicit Run(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::reader
