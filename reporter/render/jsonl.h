// Events as JSON Lines, schema version 1 (umaskaudit-report(1), "JSON LINES").
// Must never change the meaning or the type of a field: scripts depend on them; fields may be
// added. Called by `report --format jsonl` and the tests that compare a run with stat(2).
#pragma once

#include <string>
#include <unordered_map>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/objects/object_lives.h"

namespace umaskaudit {

inline constexpr unsigned kJsonSchema = 1;

// An object as it was last seen, under `path`: one line for each name that it has.
void append_object_json(std::string& out, const ObjectLife& life, const std::string& path);

class JsonLines {
 public:
  JsonLines(const StackSource& source, StackCache& stacks) : source_(source), stacks_(stacks) {}

  // Appends the event and a newline. Events that schema 1 has no type for (fork, exec, rename,
  // thread creation) append nothing.
  // `object`: ObjectLife::id of what the event is about; 0: it has none.
  void append(std::string& out, const Event& event, std::uint64_t object = 0);

 private:
  template <typename T>
  void append_event(std::string& out, const char* type, const T& event, std::uint64_t object);
  const std::string& stack_json(StackRef ref);

  const StackSource& source_;
  StackCache& stacks_;
  std::unordered_map<std::uint64_t, std::string> rendered_;
};

}  // namespace umaskaudit
