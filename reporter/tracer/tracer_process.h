// TracerProcess: the tracer as a process beside `run`: it outlives CMD as long as something is left
// to trace.
// Must never keep a descriptor of CMD's open, nor receive the terminal's signals.
#pragma once

#include <sys/types.h>

#include <string>

#include "reporter/base/result.h"
#include "reporter/tracer/tracer.h"

namespace umaskaudit::tracer {

class TracerProcess {
 public:
  // Starts it. It ends when this object is destroyed and nothing is left to trace. Error: it cannot
  // be started; the program can be run without it.
  static Result<TracerProcess> start(const TracerOptions& options);
  TracerProcess(TracerProcess&& other) noexcept;
  ~TracerProcess();
  TracerProcess(const TracerProcess&) = delete;
  TracerProcess& operator=(const TracerProcess&) = delete;

  // After CMD has ended: waits until the tracer has ended too, but not for programs that run on.
  void finish();
  // The value of the library's option tracer=.
  const std::string& name() const { return name_; }
  // For a child of ours, before its exec: the tracer attaches from its first instruction on. 0 or
  // an error number.
  int take_exec() const;

 private:
  TracerProcess(pid_t pid, int life, std::string name)
      : pid_(pid), life_(life), name_(std::move(name)) {}

  pid_t pid_;
  int life_;  // a pipe's end, whose close tells the tracer that the run is over
  std::string name_;
};

}  // namespace umaskaudit::tracer
