// RemoteModules: the files that the code of a process is from: /proc/PID/maps, and the images of
// mapped files.
// Must never read an image before a frame is in it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "reporter/tracer/mappings.h"
#include "reporter/tracer/module_image.h"
#include "reporter/tracer/remote_stack.h"

namespace umaskaudit::tracer {

// What a code address is in.
struct Code {
  bool executable = false;       // false: cannot be code
  ModuleImage* image = nullptr;  // null: generated code
  std::uint64_t bias = 0;
  std::size_t module = 0;
};

class RemoteModules {
 public:
  explicit RemoteModules(pid_t tid) : tid_(tid) {}
  // Any existing thread of the process.
  void use(pid_t tid) { tid_ = tid; }

  // Reads the maps again if the address is in no known executable range: each time that may help,
  // and less and less often for an address that was not found.
  Code at(std::uint64_t address);
  // For a word that may be anything: never reads the maps again.
  Code known(std::uint64_t address);
  const RemoteModule& module(std::size_t index) const { return modules_[index].module; }
  // Changes when another file may be mapped at an address.
  unsigned generation() const { return generation_; }

 private:
  struct Range {
    Mapping mapping;
    bool resolved = false;
    Code code;
  };
  struct Loaded {
    RemoteModule module;
    std::shared_ptr<ModuleImage> image;
    dev_t device;
    ino_t inode;
  };

  struct Absent {
    std::uint64_t page;
    unsigned asked;
  };

  void read_maps();
  bool may_be_new(std::uint64_t page);
  Range* find(std::uint64_t address);
  void resolve(Range& range);
  std::shared_ptr<ModuleImage> open_image(const Mapping& mapping);
  std::optional<std::uint64_t> header_of(const Mapping& mapping) const;

  pid_t tid_;
  unsigned generation_ = 0;
  std::vector<Mapping> mappings_;
  std::vector<Range> ranges_;  // executable ones, by address
  std::deque<Loaded> modules_;
  std::deque<Absent> absent_;
};

}  // namespace umaskaudit::tracer
