// Which objects may end with another mode or name than they were born with: those that a later
// chmod, rename or link names, and what lies below directories of which that is true. Part of the
// first reading, as the classification of umask calls is. May say yes of too many objects, never no
// of one that changes. Memory is bounded by the objects that were changed.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "reporter/base/flat_map.h"
#include "reporter/base/text_map.h"
#include "reporter/objects/object_lives.h"
#include "reporter/rules/chmod_targets.h"

namespace umaskaudit::rules {

class LaterChanges {
 public:
  // The first reading.
  void feed(const Event& event) {
    if (const ChmodEvent* chmod = ChmodTargets::change_in(event)) {
      add_object(ChmodTargets::object_of(*chmod));
      // A directory, as far as its mode can tell: below it, others may get further than before.
      if (chmod->final_mode && (*chmod->final_mode & 0111) != 0) add_directory(chmod->path);
    } else if (const auto* rename = std::get_if<RenameEvent>(&event)) {
      const bool moves = rename->action == RenameEvent::Action::renamed ||
                         rename->action == RenameEvent::Action::linked;
      if (rename->error != 0 || !moves) return;
      if (rename->ino != 0) add_object({rename->dev, rename->ino});
      // Whatever links lead there, the last component is the object's own.
      const std::string_view name = last_component(rename->from);
      if (!name.empty()) names_[hash(name)] = {};
    }
  }

  // The second one. `path` is that of a directory that changes.
  void add_directory(std::string_view path) {
    const std::string_view name = last_component(path);
    if (name.empty() || directories_.contains(hash(name))) return;
    directories_[hash(name)] = {};
    above_.clear();
  }
  // Does anything get another name?
  bool moves() const { return !names_.empty(); }
  // names() will be asked of it soon.
  void expect(const CreateEvent& event) const {
    filter_.prefetch(ObjectHash()(ObjectId{event.dev, event.ino}));
  }
  // Does something name the object itself?
  bool names(const CreateEvent& event) const {
    const ObjectId id{event.dev, event.ino};
    if (id.ino != 0 && filter_.may_contain(ObjectHash()(id)) && objects_.contains(id)) return true;
    return !names_.empty() && names_.contains(hash(last_component(event.path)));
  }
  // Does something name a directory above it?
  bool names_above(std::string_view path) const {
    if (names_.empty() && directories_.empty()) return false;
    const std::string_view directory = path.substr(0, path.rfind('/') + 1);
    const auto known = above_.find(directory);
    if (known != above_.end()) return known->second;
    if (above_.size() == kMostRemembered) above_.clear();
    const bool named = names_directory_of(path);
    above_.emplace(directory, named);
    return named;
  }

 private:
  static constexpr std::size_t kMostRemembered = 1 << 16;

  void add_object(const ObjectId& id) {
    filter_.add(ObjectHash()(id));
    objects_[id] = {};
  }

  bool names_directory_of(std::string_view path) const {
    for (std::size_t end = path.rfind('/'); end != path.npos && end > 0;) {
      const std::size_t slash = path.rfind('/', end - 1);
      const std::size_t begin = slash == path.npos ? 0 : slash + 1;
      const std::uint64_t number = hash(path.substr(begin, end - begin));
      if (names_.contains(number) || directories_.contains(number)) return true;
      end = slash;
    }
    return false;
  }

  // Never 0.
  static std::uint64_t hash(std::string_view name) {
    return std::hash<std::string_view>()(name) | 1;
  }

  BitFilter filter_;  // of objects_
  struct Nothing {};
  FlatMap<ObjectId, Nothing, ObjectHash> objects_;
  FlatMap<std::uint64_t, Nothing, NumberHash> names_;        // hashes of last components
  FlatMap<std::uint64_t, Nothing, NumberHash> directories_;  // the same
  // Recent results of names_above(): most objects lie where others were just made.
  mutable TextMap<bool> above_;
};

}  // namespace umaskaudit::rules
