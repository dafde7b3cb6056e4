// Recording: the segment of one traced process image, and the ids of what was written to it.
// Must never write a stack, a module or a directory twice. Used by the tracer's only thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "reporter/tracer/address_space.h"
#include "reporter/tracer/process_view.h"
#include "reporter/tracer/segment_writer.h"

namespace umaskaudit::tracer {

// Which events get a stack, and its depth; like the library's options.
enum class Stacks : std::uint8_t { all, changes, none };
struct RecordingOptions {
  std::string directory;
  Stacks stacks = Stacks::all;
  unsigned depth = 32;
  std::uint64_t max_size = 256u << 20;
};

class Recording {
 public:
  Recording(const RecordingOptions& options, pid_t pid, pid_t parent);

  SegmentWriter& writer() { return writer_; }
  bool wants_stack(bool of_change) const {
    return options_.stacks == Stacks::all || (of_change && options_.stacks == Stacks::changes);
  }
  unsigned depth() const { return options_.depth; }

  // The first record of the image, or of a forked child in it.
  void add_process(const Author& author, trace::Origin origin, const trace::Context& context);
  void add_context(const Author& author, const trace::Context& context);
  // Records a thread, or its new name.
  void add_thread(const Author& author, std::uint32_t context, const std::string& name);
  // The id of a stack whose addresses are in `space`. 0: none.
  std::uint32_t add_stack(const Author& author, AddressSpace& space, const RemoteStack& stack);
  // The facts of that directory (`trace::Directory`). They are cached by `key` until
  // forget_directories(), except for a `surprising` object. 0: none.
  std::uint32_t add_directory(const Author& author, const std::string& key, const std::string& name,
                              bool surprising);
  void forget_directories() { directories_.clear(); }
  void add_blind_spot(const Author& author, trace::Blind reason, std::uint16_t call,
                      std::uint32_t context, std::uint32_t stack, const std::string& text);

 private:
  std::uint32_t module_id(const Author& author, const RemoteModule& module);

  const RecordingOptions& options_;
  SegmentWriter writer_;
  std::map<std::tuple<std::string, std::uint64_t>, std::uint32_t> modules_;  // by path and base
  std::unordered_map<std::string, std::uint32_t> stacks_;                    // by their frames
  std::unordered_map<std::string, std::uint32_t> directories_;               // by key
  std::unordered_map<std::string, std::uint32_t> facts_;                     // by their bytes
};

}  // namespace umaskaudit::tracer
