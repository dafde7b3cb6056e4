// A run that is still being recorded: events as soon as they are committed.
// Must never lose an event that Run would tell later, nor write, wait or follow a link. Memory
// follows what it does for Run, but for mask changes, of which each context keeps the latest, and
// for what was created, of which nothing is kept. Called by the live commands. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "reporter/base/result.h"
#include "reporter/events/events.h"
#include "reporter/events/stack_source.h"

namespace umaskaudit {

class LiveRun : public StackSource {
 public:
  // `directory`: a run directory; it may hold no segment yet. Errors: anything else.
  static Result<std::unique_ptr<LiveRun>> open(const std::string& directory);
  ~LiveRun() override;
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  using Visit = std::function<void(const Event&)>;

  // Calls `visit` for what was committed since the last call, sorted by time as far as it was read
  // in one go. An event waits up to twenty calls for what it names and others still write. Its seq
  // and its ids are those of this stream. A creation that only its clock ties to the object says
  // `probably`: which of several calls made it is known at the end of a run, as is the name that a
  // nameless file gets. Views in the event are valid during the call. True: there is more to be
  // read at once.
  bool poll(const Visit& visit);

  // The run is over: the rest, whatever it waits for, and then what Run::for_each has last, execs
  // that nobody followed and losses. Nothing may be called after it.
  void finish(const Visit& visit);

  // Somebody wants no more: what waits for other records, as far as it goes. Nothing may be called
  // after it either.
  void stop(const Visit& visit);

  // True when a process that records, or recorded, is there under its pid.
  bool anybody_lives() const;
  // Those of the processes that recorded which are not there any more, by their pids; none of
  // another PID name space than the caller's, where pids say something else.
  std::unordered_set<std::uint32_t> ended() const;
  // CLOCK_MONOTONIC of the beginning, and CLOCK_REALTIME of any moment; 0 before the first segment.
  std::uint64_t begin_ns() const;
  std::uint64_t real_ns(std::uint64_t time_ns) const;
  // As Run::boot_id(); zeroes before the first segment, too.
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
  explicit LiveRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit
