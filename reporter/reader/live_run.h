// LiveRun: a run that is still being recorded; passes events on as soon as they are committed.
// Must never lose an event that Run would have, nor write, wait or follow a link. Memory is bounded
// as in Run, except that each context keeps only its latest mask changes, and nothing is kept of
// creations. Not thread-safe.
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

namespace umaskaudit::reader {

class LiveRun : public StackSource {
 public:
  // `directory`: a run directory; it may hold no segment yet. Errors: anything else.
  static Result<std::unique_ptr<LiveRun>> open(const std::string& directory);
  ~LiveRun() override;
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  using Visit = std::function<void(const Event&)>;

  // Calls `visit` for what was committed since the last call, sorted by time within one look. An
  // event waits up to twenty calls for records that it refers to and that are still being written.
  // Its seq and ids are those of this stream. A creation that is related to the object only by its
  // time says `probably`: which of several calls created it is known at the end of a run, as is the
  // later name of an O_TMPFILE file. Views in the event are valid during the call. True: there is
  // more to read at once.
  bool poll(const Visit& visit);

  // The run is over: passes on the rest, ready or not, and then what Run::for_each has last: execs
  // that no image followed, and losses. Nothing may be called after it.
  void finish(const Visit& visit);

  // Stops early: passes on waiting records that are ready. Nothing may be called after it.
  void stop(const Visit& visit);

  // True while a process that records or recorded exists under its pid.
  bool has_running_process() const;
  // The recorded processes that do not exist any more, by pid; none of another PID name space than
  // the caller's, where pids mean something else.
  std::unordered_set<std::uint32_t> ended() const;
  // CLOCK_MONOTONIC of the beginning, and CLOCK_REALTIME of any moment; 0 before the first segment.
  std::uint64_t begin_ns() const;
  std::uint64_t real_ns(std::uint64_t time_ns) const;
  // As Run::boot_id(); zeroes also before the first segment.
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

}  // namespace umaskaudit::reader
