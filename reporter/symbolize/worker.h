// Worker: symbolizes in a child process, so that a hostile module file can only end or delay the
// child.
// Must never leave a child behind, nor let one file cost more than two children. Not thread-safe.
// The child is forked at the first request and after each crash; it calls malloc, which glibc keeps
// usable in the child of a threaded process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/location.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {

// The limits of a child, well above what the largest programs need.
struct WorkerLimits {
  std::uint64_t memory_bytes = 0;  // address space on top of what it starts with; 0: by the machine
  unsigned cpu_seconds = 60;       // for one request
  int silence_ms = 120'000;        // wall clock until an answer, for reads that never return
};

class Worker {
 public:
  // Handles a request in the child; tests replace it with misbehaving ones.
  using Resolve = std::function<ModulePlaces(const ModuleKey&, std::span<const std::uint64_t>)>;
  using MakeResolve = std::function<Resolve()>;  // called in the child

  explicit Worker(const SymbolOptions& options);
  Worker(MakeResolve make, bool network, WorkerLimits limits);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // One Places for each address, empty if unknown.
  ModulePlaces resolve(const ModuleKey& key, std::span<const std::uint64_t> addresses);

 private:
  bool start();
  std::optional<int> stop();  // the wait status of the child, if there was one
  // noexcept: an exception must end the child, not unwind into a copy of the reporter.
  [[noreturn]] void serve(int socket) noexcept;

  MakeResolve make_;
  bool network_ = false;
  WorkerLimits limits_;
  pid_t child_ = -1;
  Descriptor socket_;
  std::set<ModuleKey> poison_;  // modules that ended two children
  unsigned ended_ = 0;
};

}  // namespace umaskaudit::symbolize
