// The objects that a run made, with the names and the modes that it left them with.
// Must never grow with the number of events: an object that came and went many times in one way is
// kept once. Called by `diff` and `whatif`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reporter/events/events.h"

namespace umaskaudit {

struct MadeObject {
  CreateEvent creation;
  std::string path;         // the last name that it had
  Mode mode = 0;            // that the run left it with
  std::string settled_by;   // the last chmod, fchmod, setxattr ... ; empty: none
  bool removed = false;     // its name is gone
  std::uint64_t times = 1;  // made so, removed, and made again
};

// Fed with a run's events in order; then asked for the objects.
class MadeObjects {
 public:
  // `selects`: of interest; null for all.
  explicit MadeObjects(std::function<bool(const CreateEvent&)> selects = nullptr)
      : selects_(std::move(selects)) {}

  void see(const Event& event);
  // In the order in which they were made.
  std::vector<MadeObject> take() { return std::move(objects_); }

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;

  void add(const CreateEvent& event);
  void add(const ChmodEvent& event);
  void add(const RenameEvent& event);
  void add(const EventBase&) {}

  MadeObject* find(const Inode& inode);
  void rename(std::size_t index, const std::string& to);
  void remove(std::size_t index);

  std::function<bool(const CreateEvent&)> selects_;
  std::vector<MadeObject> objects_;
  std::map<Inode, std::size_t> inodes_;
  std::map<std::string, std::size_t> names_;  // of what is there
  std::map<std::string, std::vector<std::size_t>> gone_;
};

// The mode of a creation as far as it is known: found, or the end of its derivation.
Mode mode_of(const CreateEvent& event);

}  // namespace umaskaudit
