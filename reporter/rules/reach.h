// Who can get at an object at all: below a private directory its own mode matters to nobody else.
// Must never call an object unreachable on a guess: only modes that were recorded count.
// Called by the exposure checks.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "reporter/model/events.h"

namespace umaskaudit::rules {

class Reach {
 public:
  // Learns of private directories. Call for each creation and chmod, in order.
  void see(const CreateEvent& event);
  void see(const ChmodEvent& event);

  // False when a directory above the object is known to keep everybody but its owner out.
  bool by_others(const CreateEvent& event) const;

 private:
  void set(const std::string& path, Mode mode);

  std::unordered_set<std::string> private_;
};

}  // namespace umaskaudit::rules
