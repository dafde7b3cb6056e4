// Follows inodes through a run's events.
// Must never take two objects for one because an inode number was used again: a creation starts
// anew. Called as object_story.h says.
#include "reporter/analysis/object_story.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace umaskaudit {
namespace {

using Inode = std::pair<std::uint64_t, std::uint64_t>;

bool is_creation(const CreateEvent& event) {
  return event.error == 0 && event.created != trace::Created::no;
}

// A record may say "/a/../b" or "/dir/": the program wrote it so.
bool same_name(const std::string& recorded, const std::string& path) {
  if (recorded == path) return true;
  std::string_view end = recorded;
  if (end.size() > 1 && end.back() == '/') end.remove_suffix(1);
  if (end == path) return true;
  return end.find("/.") != std::string_view::npos &&
         std::filesystem::path(end).lexically_normal() == path;
}

bool has_name(const CreateEvent& event, const std::string& path) {
  return same_name(event.path, path) || (!event.link.empty() && same_name(event.link, path));
}

// Inodes that were made as `path`, or got that name later.
class InodesOf {
 public:
  explicit InodesOf(const std::string& path) : path_(path) {}
  void operator()(const CreateEvent& event) {
    if (is_creation(event) && has_name(event, path_)) found.insert({event.dev, event.ino});
  }
  void operator()(const RenameEvent& event) {
    if (event.error == 0 && same_name(event.to, path_)) found.insert({event.dev, event.ino});
  }
  void operator()(const EventBase&) {}

  std::set<Inode> found;

 private:
  const std::string& path_;
};

class Storyteller {
 public:
  Storyteller(const std::string& path, const std::set<Inode>& inodes)
      : path_(path), inodes_(inodes) {}

  void operator()(const CreateEvent& event) {
    const Inode inode{event.dev, event.ino};
    if (!is_creation(event) || inodes_.count(inode) == 0) return;
    finish(inode);
    Life& life = lives_[inode];
    life.story.creation = event;
    life.story.path = event.path;
    life.named = has_name(event, path_);
  }
  void operator()(const ChmodEvent& event) {
    const Inode inode{event.dev, event.ino};
    if (inodes_.count(inode) != 0) lives_[inode].story.afterwards.emplace_back(event);
  }
  void operator()(const RenameEvent& event) {
    const Inode inode{event.dev, event.ino};
    if (event.error != 0 || inodes_.count(inode) == 0) return;
    Life& life = lives_[inode];
    life.story.afterwards.emplace_back(event);
    if (event.action == RenameEvent::Action::renamed) life.story.path = event.to;
    if (same_name(event.to, path_)) life.named = true;
  }
  void operator()(const EventBase&) {}

  std::vector<ObjectStory> finish() {
    for (const Inode& inode : inodes_) finish(inode);
    return std::move(done_);
  }

 private:
  struct Life {
    ObjectStory story;
    bool named = false;  // it had the name that is asked for
  };

  void finish(const Inode& inode) {
    const auto found = lives_.find(inode);
    if (found == lives_.end()) return;
    if (found->second.named) done_.push_back(std::move(found->second.story));
    lives_.erase(found);
  }

  const std::string& path_;
  const std::set<Inode>& inodes_;
  std::map<Inode, Life> lives_;
  std::vector<ObjectStory> done_;
};

template <typename Visitor>
void visit_all(const Run& run, Visitor& visitor) {
  run.for_each([&](const Event& event) {
    std::visit(visitor, event);
    return true;
  });
}

void find_setters(const Run& run, std::vector<ObjectStory>& stories) {
  run.for_each([&](const Event& event) {
    const auto* change = std::get_if<UmaskEvent>(&event);
    if (change == nullptr) return true;
    for (ObjectStory& story : stories)
      if (story.creation && story.creation->mask_set_by == change->id) story.setter = *change;
    return true;
  });
}

std::uint64_t begin_of(const ObjectStory& story) {
  return story.creation ? story.creation->seq : 0;
}

}  // namespace

std::vector<ObjectStory> object_stories(const Run& run, const std::string& path) {
  InodesOf inodes(path);
  visit_all(run, inodes);
  Storyteller teller(path, inodes.found);
  visit_all(run, teller);
  std::vector<ObjectStory> stories = teller.finish();
  std::stable_sort(stories.begin(), stories.end(),
                   [](const auto& a, const auto& b) { return begin_of(a) < begin_of(b); });
  find_setters(run, stories);
  return stories;
}

}  // namespace umaskaudit
