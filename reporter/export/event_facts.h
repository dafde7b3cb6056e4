// What the exports for log fleets say of an event in the same words: its kind, its program, the
// code behind it. Must never keep a view into an event: of a run that grows it is gone afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"

namespace umaskaudit::exports {

// What all kinds have.
const EventBase& base_of(const Event& event);

// The kind in one word: "process", "umask", "create", "chmod", "rename", "blind_spot", "loss",
// "note", "fork", "exec", "thread".
const char* dataset_of(const Event& event);

// The two parts of a path; both empty where it has no slash. The name is what is behind the last
// one, "/" is the directory of what lies there.
struct PathParts {
  std::string_view directory, name;
};
PathParts parts_of_path(std::string_view path);

// The line of code behind an event: the culprit, where it has a name. Null where none is known.
// Valid as long as the cache.
const symbolize::Frame* code_behind(analysis::StackCache& stacks, StackRef stack);

// The latest image of each pid. Grows with the processes of a run, not with its events.
class LatestImages {
 public:
  struct Image {
    std::string name, executable;  // raw bytes
    std::uint32_t ppid = 0;
  };

  // Takes notice of a ProcessEvent; all others are passed over.
  void see(const Event& event);
  void see(const ProcessEvent& process);
  // Null: it was not seen to begin.
  const Image* find(std::uint32_t pid) const;

 private:
  std::unordered_map<std::uint32_t, Image> programs_;
};

}  // namespace umaskaudit::exports
