// Follows inode numbers and names through the events; see final_objects.h.
// Must never merge two objects because an inode number was reused: a creation starts a new object.
#include "reporter/analysis/final_objects.h"

#include <algorithm>

namespace umaskaudit::analysis {
namespace {

// Whether an earlier object of the same name is equal enough to be counted with this one.
bool made_alike(const FinalObject& object, const CreateEvent& event) {
  const CreateEvent& other = object.creation;
  return object.settled_by.empty() && other.kind == event.kind && other.call == event.call &&
         other.requested == event.requested && other.mask == event.mask &&
         other.mask_set_by == event.mask_set_by && mode_of(other) == mode_of(event);
}

}  // namespace

FinalObjects::FinalObjects(std::function<bool(const CreateEvent&)> selects)
    : selects_(std::move(selects)), lives_([this] {
        LifeOptions options;
        options.selects = selects_;
        options.on_end = [this](const ObjectLife& life) { settle(life, true); };
        return options;
      }()) {}

void FinalObjects::see(const Event& event) {
  const std::uint64_t id = lives_.see(event);
  const auto* create = std::get_if<CreateEvent>(&event);
  const bool made =
      create != nullptr && create->error == 0 && create->created != trace::Created::no;
  if (made && lives_.find(id) != nullptr) add(*create, id);
}

void FinalObjects::add(const CreateEvent& event, std::uint64_t id) {
  std::size_t index = objects_.size();
  std::vector<std::size_t>& earlier = gone_[event.path];
  const auto alike = std::find_if(earlier.begin(), earlier.end(), [&](std::size_t one) {
    return made_alike(objects_[one], event);
  });
  if (alike == earlier.end()) {
    objects_.emplace_back();
  } else {
    index = *alike;
    earlier.erase(alike);
    ++objects_[index].times;
  }
  objects_[index].creation = event;
  objects_[index].removed = false;
  indices_[id] = index;
}

void FinalObjects::settle(const ObjectLife& life, bool removed) {
  const auto found = indices_.find(life.id);
  if (found == indices_.end()) return;
  FinalObject& object = objects_[found->second];
  object.path = life.last_path;
  object.mode = life.mode;
  object.settled_by = life.settled_by.call;
  object.removed = removed;
  // An object that was renamed or changed is not merged.
  if (removed && object.path == object.creation.path) gone_[object.path].push_back(found->second);
  indices_.erase(found);
}

std::vector<FinalObject> FinalObjects::take() {
  lives_.for_each([this](const ObjectLife& life) { settle(life, false); });
  return std::move(objects_);
}

}  // namespace umaskaudit::analysis
