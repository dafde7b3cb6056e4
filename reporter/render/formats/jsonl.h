// Events as JSON Lines, schema version 2 (umaskaudit-jsonl(5)).
// Must never change the meaning or the type of a field: scripts depend on them; fields may be
// added. Must never name a stack whose own line did not come before, nor leave out what neither the
// schema's defaults nor the lines before say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/base/flat_map.h"
#include "reporter/events/dropped.h"
#include "reporter/events/events.h"
#include "reporter/objects/object_lives.h"

namespace umaskaudit {
class JsonWriter;
}  // namespace umaskaudit

namespace umaskaudit::render {

// Of all JSON that the reporter prints.
inline constexpr unsigned kJsonSchema = 2;

// The first line: what is known of the run as a whole. Empty texts and zeroes are not known.
struct RunLine {
  std::string tool;     // with its version
  std::string program;  // raw bytes
  std::string host, machine, kernel;
  std::array<std::uint8_t, 16> boot_id{};
  std::uint64_t started_real_ns = 0;
  std::uint64_t begin_ns = 0, end_ns = 0;  // CLOCK_MONOTONIC
  std::optional<bool> complete;            // nothing: the run may go on
  std::uint64_t whole_since_ns = 0;        // Dropped's
  std::optional<int> exit_code;
  int signal = 0;
};
void append_run_json(std::string& out, const RunLine& run);
// As /proc/sys/kernel/random/boot_id shows it (random(4)); empty: not known.
std::string boot_id_text(const RunLine& run);

// The member "steps".
void write_steps(JsonWriter& json, const std::vector<Step>& steps);

class JsonLines {
 public:
  // `whole`: each line stands alone. An event has its stack, not its number, and nothing is left
  // out because it is a default, can be computed, or is in a line before.
  JsonLines(const StackSource& source, analysis::StackCache& stacks, bool whole = false)
      : source_(source), stacks_(stacks), whole_(whole) {}

  // Appends the event and a newline, and before it its stack where none had it yet. Events that
  // schema 2 has no type for (fork, exec, thread creation) append nothing.
  // `object`: ObjectLife::id of what the event is about; 0: it has none.
  void append(std::string& out, const Event& event, std::uint64_t object = 0);
  // A chmod by descriptor is given the object's name, which `lives` knows at that time.
  void append(std::string& out, const Event& event, std::uint64_t object, const ObjectLives& lives);
  // An object as it was last seen, under `path`: one line for each name that it has.
  void append_object(std::string& out, const ObjectLife& life, const std::string& path);
  // What was dropped and only counted, a line for each row of dropped_rows().
  void append_totals(std::string& out, const Dropped& dropped);

 private:
  struct ThreadState {
    std::string name;
    std::uint32_t fs = 0;
    bool known = false;
  };
  struct Place {
    std::optional<std::uint64_t> dev;
    std::optional<std::uint32_t> uid, gid;
  };
  void thread_of(JsonWriter& json, const EventBase& event);
  void place_of(JsonWriter& json, Place& written, const Place& place);
  template <typename T>
  void append_event(std::string& out, const char* type, const T& event, std::uint64_t object);
  std::string frames_json(StackRef ref, const char* key, const char* truncated,
                          const char* partial);
  std::uint64_t number_of(std::string& out, StackRef ref);

  const StackSource& source_;
  analysis::StackCache& stacks_;
  bool whole_;
  FlatMap<std::uint64_t, ThreadState, NumberHash> threads_;  // by pid and tid, as last written
  Place create_place_, change_place_, object_place_;         // of the line before of that type
  std::unordered_map<std::uint64_t, std::string> expanded_;
  FlatMap<std::uint64_t, std::uint64_t, NumberHash> numbers_;  // of stacks whose line was written
  std::unordered_map<std::string, std::uint64_t> lines_;       // of equal stacks: one number
};

}  // namespace umaskaudit::render
