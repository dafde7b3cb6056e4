// Follows inode numbers and names through the events. See made_objects.h.
// Must never take two objects for one because an inode number was used again: a creation starts
// anew.
#include "reporter/analysis/made_objects.h"

#include <algorithm>

namespace umaskaudit {
namespace {

constexpr Mode kAllBits = 07777;

// What an earlier object of the same name must share to be kept as one with it.
bool made_alike(const MadeObject& object, const CreateEvent& event) {
  const CreateEvent& other = object.creation;
  return object.settled_by.empty() && other.kind == event.kind && other.call == event.call &&
         other.requested == event.requested && other.mask == event.mask &&
         other.mask_set_by == event.mask_set_by && mode_of(other) == mode_of(event);
}

}  // namespace

Mode mode_of(const CreateEvent& event) {
  if (event.final_mode) return *event.final_mode & kAllBits;
  return event.steps.empty() ? 0 : event.steps.back().mode & kAllBits;
}

void MadeObjects::see(const Event& event) {
  std::visit([this](const auto& one) { add(one); }, event);
}

MadeObject* MadeObjects::find(const Inode& inode) {
  const auto found = inode.second == 0 ? inodes_.end() : inodes_.find(inode);
  return found == inodes_.end() ? nullptr : &objects_[found->second];
}

void MadeObjects::add(const CreateEvent& event) {
  if (event.error != 0 || event.created == trace::Created::no) return;
  const Inode inode{event.dev, event.ino};
  inodes_.erase(inode);
  if (const auto taken = names_.find(event.path); taken != names_.end()) remove(taken->second);
  if (selects_ && !selects_(event)) return;
  std::size_t index = objects_.size();
  std::vector<std::size_t>& earlier = gone_[event.path];
  const auto alike = std::find_if(earlier.begin(), earlier.end(), [&](std::size_t one) {
    return made_alike(objects_[one], event);
  });
  if (alike != earlier.end()) {
    index = *alike;
    earlier.erase(alike);
    ++objects_[index].times;
    objects_[index].removed = false;
    objects_[index].creation = event;
  } else {
    MadeObject object;
    object.creation = event;
    object.path = event.path;
    object.mode = mode_of(event);
    objects_.push_back(std::move(object));
  }
  if (event.ino != 0) inodes_[inode] = index;
  names_[event.path] = index;
}

void MadeObjects::add(const ChmodEvent& event) {
  MadeObject* object = event.error == 0 ? find({event.dev, event.ino}) : nullptr;
  if (object == nullptr || !event.final_mode || event.acl == 2) return;
  object->mode = *event.final_mode & kAllBits;
  object->settled_by = event.call;
}

void MadeObjects::add(const RenameEvent& event) {
  if (event.error != 0) return;
  switch (event.action) {
    case RenameEvent::Action::renamed: {
      if (const auto taken = names_.find(event.to); taken != names_.end() && event.from != event.to)
        remove(taken->second);
      const auto found = names_.find(event.from);
      if (found != names_.end()) rename(found->second, event.to);
      return;
    }
    case RenameEvent::Action::linked:
      // What was made without a name gets its first one.
      if (MadeObject* object = find({event.dev, event.ino});
          object != nullptr && object->creation.kind == trace::Kind::tmpfile)
        rename(static_cast<std::size_t>(object - objects_.data()), event.to);
      return;
    case RenameEvent::Action::unlinked: {
      const auto found = names_.find(event.from);
      if (found != names_.end()) remove(found->second);
      return;
    }
    case RenameEvent::Action::symlinked:
      return;
  }
}

void MadeObjects::rename(std::size_t index, const std::string& to) {
  const std::string from = objects_[index].path;
  const auto move = [this](std::size_t which, std::string name) {
    names_.erase(objects_[which].path);
    names_[name] = which;
    objects_[which].path = std::move(name);
  };
  if (objects_[index].creation.kind == trace::Kind::dir) {
    std::vector<std::size_t> below;
    const std::string prefix = from + '/';
    for (auto one = names_.lower_bound(prefix);
         one != names_.end() && one->first.compare(0, prefix.size(), prefix) == 0; ++one)
      below.push_back(one->second);
    for (const std::size_t which : below)
      move(which, to + objects_[which].path.substr(from.size()));
  }
  move(index, to);
}

void MadeObjects::remove(std::size_t index) {
  MadeObject& object = objects_[index];
  names_.erase(object.path);
  object.removed = true;
  // An object that was renamed or changed is told of by itself.
  if (object.path == object.creation.path) gone_[object.path].push_back(index);
}

}  // namespace umaskaudit
