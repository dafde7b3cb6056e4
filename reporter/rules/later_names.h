// The names that objects get after their birth, for who must know them when the birth is judged: a
// policy, suppressions, a filter by path. One more reading of the run, before the rules see it.
// Memory is bounded by the objects that were renamed or linked, or lie below directories that were.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/objects/object_lives.h"
#include "reporter/rules/later_changes.h"

namespace umaskaudit::rules {

class LaterNames {
 public:
  // `source` as in find.h.
  template <typename Source>
  void read(const Source& source, const LaterChanges& later, NameTree::Links links) {
    if (!later.moves()) return;
    LifeOptions options;
    options.links = std::move(links);
    options.selects = [&](const CreateEvent& event) {
      return later.names(event) || later.names_above(event.path);
    };
    options.on_end = [this](const ObjectLife& life) { add(life, {life.last_path}); };
    ObjectLives lives(std::move(options));
    source([&](const Event& event) {
      lives.see(event);
      return true;
    });
    lives.for_each([&](const ObjectLife& life) { add(life, lives.names(life)); });
  }

  // Of the object that the event `seq` made; empty: it has no other than those of its birth.
  const std::vector<std::string>& of(std::uint64_t seq) const {
    static const std::vector<std::string> kNone;
    const auto found = names_.find(seq);
    return found == names_.end() ? kNone : found->second;
  }

 private:
  void add(const ObjectLife& life, std::vector<std::string> names) {
    names.insert(names.end(), life.earlier.begin(), life.earlier.end());
    std::erase_if(names, [&](const std::string& name) {
      return name.empty() || name == life.born_path || name == life.born_link;
    });
    if (!names.empty()) names_.emplace(life.born.seq, std::move(names));
  }

  std::unordered_map<std::uint64_t, std::vector<std::string>> names_;
};

}  // namespace umaskaudit::rules
