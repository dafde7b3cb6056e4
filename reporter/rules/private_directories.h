// PrivateDirectories: which users can reach an object at all. Below a private directory its own
// mode has no effect for others.
// Must never call an object unreachable on a guess: only modes that were recorded count.
// Fed by find.cc, asked by the checks.
#pragma once

#include <string>
#include <string_view>

#include "reporter/base/text_map.h"
#include "reporter/events/events.h"

namespace umaskaudit::rules {

class PrivateDirectories {
 public:
  // Keeps the directories that others may not enter. Call for each creation and chmod, in order.
  void see(const CreateEvent& event);
  void see(const ChmodEvent& event);
  void see(const RenameEvent& event);
  // A directory of that name is known to have that mode now.
  void set_directory(std::string_view path, Mode mode) { set(path, mode); }

  // The permission bits below the owner's that have an effect: 0077 where every directory
  // above that is known lets others in; 0070 where one lets in its group only (its members are
  // taken for those of the object's group); 0 where one lets in its owner only.
  Mode of(const CreateEvent& event) const;
  Mode of(const std::string& path) const;

 private:
  void set(std::string_view path, Mode mode);
  static Mode let_in(Mode directory);

  // By path; only those that some users may not enter: bounded by the directories of the run.
  TextMap<Mode> closed_;
};

}  // namespace umaskaudit::rules
