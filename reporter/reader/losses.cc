#include "reporter/reader/losses.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace umaskaudit::reader {
namespace {

struct LossWords {
  const char* reason;
  const char* detail;
};

LossWords words_of(unsigned kind) {
  switch (static_cast<trace::Loss>(kind)) {
#define LOSS(identifier, number, name, detail) \
  case trace::Loss::identifier:                \
    return {name, detail};
#include "preload/trace/losses.def"
#undef LOSS
  }
  return {"other", "a loss that this version has no word for"};
}

void add(Completeness* all, const char* reason, std::uint64_t count, std::string detail) {
  if (count == 0) return;
  LossEvent loss;
  loss.reason = reason;
  loss.count = count;
  loss.detail = std::move(detail);
  all->losses.push_back(std::move(loss));
}

void assess_segment(const Segment& segment, Completeness* all) {
  const std::string in = " in " + segment.file.name();
  all->records += segment.scan.records;
  all->damaged_bytes += segment.scan.damaged_bytes;
  all->damages += segment.scan.damages;
  all->unfinished += segment.scan.unfinished;
  all->unknown_records += segment.unknown_records;
  if (segment.header_damaged) {
    add(all, "damaged-header", 1, "the header" + in + " is damaged; its records were searched for");
  } else {
    for (unsigned kind = 0; kind < trace::kLossKinds; ++kind) {
      all->lost[kind] += segment.header.lost[kind];
      add(all, words_of(kind).reason, segment.header.lost[kind], words_of(kind).detail + in);
    }
  }
  if (segment.layout.damaged()) {
    add(all, "damaged-header", 1,
        "where the control regions" + in + " are is damaged; records were searched for");
  }
  add(all, "damaged", segment.scan.damaged_bytes,
      "bytes skipped at " + std::to_string(segment.scan.damages) + " place(s)" + in);
  add(all, "unfinished", segment.scan.unfinished,
      "records begun and never committed" + in + ": the process ended in the middle");
  add(all, "malformed", segment.malformed_records, "records shorter than their type" + in);
  add(all, "unknown-record", segment.unknown_records,
      "records of a type that is not known here" + in + ", which has version " +
          std::to_string(segment.header.major) + "." + std::to_string(segment.header.minor) +
          "; this reader knows " + std::to_string(trace::kMajor) + "." +
          std::to_string(trace::kMinor));
}

// The shim records an exec that it cannot follow as a blind spot of the same thread.
bool explained(const Segment& segment, const ExecFact& exec, std::uint64_t since_ns) {
  return std::any_of(
      segment.told_blind.begin(), segment.told_blind.end(),
      [&](const BlindFact& spot) { return spot.tid == exec.tid && spot.time_ns >= since_ns; });
}

constexpr std::uint64_t bit(trace::Blind reason) {
  return std::uint64_t{1} << static_cast<unsigned>(reason);
}

// Except execs of images that a tracer recorded.
std::uint64_t reasons_of_execs(const Segment& segment, const ContextTree& tree) {
  std::uint64_t reasons = 0;
  for (const BlindFact& spot : segment.told_blind) {
    if ((reasons & bit(spot.reason)) == 0 &&
        !tree.traced_after(segment, spot.pid, spot.context, spot.time_ns)) {
      reasons |= bit(spot.reason);
    }
  }
  return reasons;
}

// A mask was changed by a process that shares it and was not recorded.
bool drifted_unseen(const Segment& segment, const ContextTree& tree) {
  return std::any_of(segment.drifts.begin(), segment.drifts.end(), [&](const DriftFact& drift) {
    const ContextPiece* piece = tree.find(segment.index, drift.context);
    return piece == nullptr || !piece->found_mask(drift.change);
  });
}

}  // namespace

LossEvent segment_loss(const char* reason, std::uint64_t count, const std::string& segment,
                       const std::string& detail) {
  LossEvent loss;
  loss.reason = reason;
  loss.count = count;
  loss.detail = segment + ": " + detail;
  return loss;
}

Completeness assess(const std::vector<std::unique_ptr<Segment>>& segments,
                    const DirectoryFacts& directory, std::uint64_t end_ns) {
  Completeness all;
  all.segments = segments.size() + directory.unreadable.size();
  all.images = all.segments;
  for (const auto& segment : segments) assess_segment(*segment, &all);
  all.losses.insert(all.losses.end(), directory.unreadable.begin(), directory.unreadable.end());
  if (directory.has_state) {
    const trace::RunState& state = directory.state;
    all.images = std::max(all.images, state.images);
    all.segments_failed = state.segments_failed;
    add(&all, "segments-failed", state.segments_failed,
        std::string("process images recorded nothing, the last one because: ") +
            std::strerror(static_cast<int>(state.last_errno & 0xFFFF)));
    const std::uint64_t there = all.segments + state.dropped_segments;
    if (state.segments > there) {
      add(&all, "segments-missing", state.segments - there,
          "segments were written and are no longer in the run directory");
    }
  }
  for (LossEvent& loss : all.losses) loss.time_ns = end_ns;
  return all;
}

void assess_hidden(const std::vector<std::unique_ptr<Segment>>& segments, const ContextTree& tree,
                   bool unfollowed, Completeness* all) {
  // Blind spots about masks and names only: creations behind them are recorded.
  constexpr std::uint64_t kHarmless = bit(trace::Blind::no_mask) | bit(trace::Blind::raw_clone) |
                                      bit(trace::Blind::untracked_chroot);
  constexpr std::uint64_t kOtherOwners =
      bit(trace::Blind::exec_privileged) | bit(trace::Blind::exec_run_directory);
  all->hides_creations = unfollowed || !all->losses.empty();
  for (const auto& segment : segments) {
    const std::uint64_t reasons = segment->blind_reasons | reasons_of_execs(*segment, tree);
    all->hides_creations |= (reasons & ~kHarmless) != 0 || drifted_unseen(*segment, tree);
    all->hides_owners |= (reasons & kOtherOwners) != 0;
  }
}

std::vector<BlindSpotEvent> unfollowed_execs(const std::vector<std::unique_ptr<Segment>>& segments,
                                             const ContextTree& tree,
                                             const DirectoryFacts& directory) {
  std::vector<BlindSpotEvent> spots;
  for (const auto& segment : segments) {
    std::unordered_map<std::uint32_t, std::uint64_t> earlier;  // each thread's previous attempt
    for (const ExecFact& exec : segment->execs) {
      const std::uint64_t since_ns = std::exchange(earlier[exec.tid], exec.time_ns);
      if (exec.error != 0 || tree.image_after(*segment, exec)) continue;
      if (explained(*segment, exec, since_ns)) continue;
      BlindSpotEvent spot;
      spot.time_ns = exec.time_ns;
      spot.pid = exec.pid;
      spot.tid = exec.tid;
      spot.thread = segment->comm_of(exec.pid);
      const ContextPiece* piece = tree.find(segment->index, exec.context);
      spot.fs = piece == nullptr ? 0 : piece->fs;
      spot.reason = trace::Blind::exec_silent;
      spot.text = exec.path;
      spots.push_back(std::move(spot));
    }
  }
  std::stable_sort(spots.begin(), spots.end(),
                   [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  // The image of a dropped segment began before its latest event.
  std::uint64_t dropped = directory.has_state ? directory.state.dropped_segments : 0;
  std::erase_if(spots, [&](const BlindSpotEvent& spot) {
    return spot.time_ns <= directory.state.dropped_whole_since_ns && dropped > 0 && dropped-- > 0;
  });
  return spots;
}

}  // namespace umaskaudit::reader
