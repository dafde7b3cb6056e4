// Two passes: which objects had the name, and what happened to them; see object_history.h.
#include "reporter/analysis/object_history.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "reporter/analysis/mask_choice.h"

namespace umaskaudit::analysis {
namespace {

using Inode = std::pair<std::uint64_t, std::uint64_t>;

bool same_text(const std::string& recorded, const std::string& path) {
  return recorded == path || (recorded.find('/') != std::string::npos &&
                              std::filesystem::path(recorded).lexically_normal() == path);
}

// The paths to look for: the given one, and the files of POSIX IPC objects.
std::vector<std::string> meant(const std::string& path) {
  std::vector<std::string> out{path};
  const bool one_component = path.rfind('/') == (path.starts_with('/') ? 0 : std::string::npos);
  if (!one_component) return out;
  for (const trace::Kind kind : {trace::Kind::shm, trace::Kind::sem, trace::Kind::mqueue})
    out.push_back(file_path(kind, path));
  return out;
}

template <typename Visit>
void for_each_with_object(const reader::Run& run, ObjectLives& lives, Visit&& visit) {
  run.for_each_folded([&](const Event& event) {
    visit(event, lives.see(event));
    return true;
  });
}

// Objects of the run by ObjectLife::id; other objects by inode.
struct Found {
  std::set<std::uint64_t> ids;
  std::set<Inode> inodes;
  std::uint64_t current = 0;  // the object that has the name at the end

  bool empty() const { return ids.empty() && inodes.empty(); }
};

Found find_objects(const reader::Run& run, const ObjectQuery& query) {
  LifeOptions options;
  options.links = query.links;
  ObjectLives lives(std::move(options));
  const std::vector<std::string> paths = meant(query.path);
  Found found;
  for_each_with_object(run, lives, [&](const Event& event, std::uint64_t object) {
    const auto* create = std::get_if<CreateEvent>(&event);
    const auto* rename = std::get_if<RenameEvent>(&event);
    if (create == nullptr && rename == nullptr) return;
    for (const std::string& path : paths)
      if (const std::uint64_t id = lives.at(path); id != 0) found.ids.insert(id);
    if (create != nullptr && object != 0 && create->created != trace::Created::no &&
        (same_text(create->link, query.path) || same_text(create->path, query.path)))
      found.ids.insert(object);
    const bool unseen = rename != nullptr && object == 0 && rename->error == 0 && rename->ino != 0;
    if (unseen && same_text(rename->to, query.path))
      found.inodes.insert({rename->dev, rename->ino});
  });
  for (const std::string& path : paths)
    if (found.current == 0) found.current = lives.at(path);
  if (found.empty() && query.ino != 0) {
    found.current = lives.at(query.dev, query.ino);
    if (found.current != 0) found.ids.insert(found.current);
  }
  return found;
}

class Histories {
 public:
  explicit Histories(const Found& found) : found_(found) {}

  void see(const Event& event, std::uint64_t object) {
    if (const auto* create = std::get_if<CreateEvent>(&event)) {
      const bool made = create->error == 0 && create->created != trace::Created::no;
      if (!made) return;
      unseen_.erase({create->dev, create->ino});  // the number is another object's now
      if (found_.ids.contains(object)) made_[object].creation = *create;
      return;
    }
    Inode inode{};
    const auto* chmod = std::get_if<ChmodEvent>(&event);
    const auto* rename = std::get_if<RenameEvent>(&event);
    if (chmod == nullptr && (rename == nullptr || rename->error != 0)) return;
    if (chmod != nullptr) inode = {chmod->dev, chmod->ino};
    if (rename != nullptr) inode = {rename->dev, rename->ino};
    ObjectHistory* history = nullptr;
    if (object != 0 && found_.ids.contains(object))
      history = &made_[object];
    else if (object == 0 && found_.inodes.contains(inode))
      history = &unseen_[inode];
    if (history == nullptr) return;
    history->afterwards.push_back(event);
    if (rename != nullptr && rename->action == RenameEvent::Action::renamed)
      history->path = rename->to;
    if (chmod != nullptr && chmod->error == 0 && chmod->final_mode)
      history->mode = chmod->final_mode;
  }

  void settle(const ObjectLife& life, std::vector<std::string> names) {
    const auto found = made_.find(life.id);
    if (found == made_.end()) return;
    found->second.path = life.last_path;
    found->second.names = std::move(names);
    found->second.state = life.state;
    if (life.mode_known) found->second.mode = life.mode;
  }

  std::vector<ObjectHistory> take() {
    std::vector<ObjectHistory> out;
    const auto add = [&](ObjectHistory& history) { out.push_back(std::move(history)); };
    if (const auto now = made_.find(found_.current); now != made_.end()) {
      add(now->second);
      made_.erase(now);
    }
    for (auto& [inode, history] : unseen_) add(history);
    for (auto& [id, history] : made_) add(history);
    return out;
  }

 private:
  const Found& found_;
  std::map<std::uint64_t, ObjectHistory> made_;
  std::map<Inode, ObjectHistory> unseen_;
};

// dash reads the mask by umask(0) before it sets one: its `umask 0` is three calls in a row, of
// which the last one counts and puts nothing back.
bool is_one_command(const UmaskEvent& setter, const UmaskEvent& last) {
  return setter.pid == last.pid && setter.tid == last.tid && setter.argument == last.argument &&
         setter.old_mask == last.old_mask && last.seq == setter.seq + 2;
}

void find_setters(const reader::Run& run, const MaskChoice& choice,
                  std::vector<ObjectHistory>& histories) {
  std::map<std::uint64_t, std::vector<std::optional<UmaskEvent>*>> wanted;
  for (ObjectHistory& history : histories) {
    if (!history.creation || !history.creation->mask_set_by) continue;
    const std::uint64_t last = *history.creation->mask_set_by;
    const std::optional<std::uint64_t> chooser = choice.chooser(last);
    if (chooser) wanted[*chooser].push_back(&history.setter);
    if (chooser != last) wanted[last].push_back(&history.put_back);
  }
  if (wanted.empty()) return;
  run.for_each_folded([&](const Event& event) {
    const auto* change = std::get_if<UmaskEvent>(&event);
    const auto found = change == nullptr ? wanted.end() : wanted.find(change->id);
    if (found == wanted.end()) return true;
    for (std::optional<UmaskEvent>* place : found->second) *place = *change;
    return true;
  });
  for (ObjectHistory& history : histories) {
    if (!history.setter || !history.put_back) continue;
    if (!is_one_command(*history.setter, *history.put_back)) continue;
    history.setter = history.put_back;
    history.put_back.reset();
  }
}

}  // namespace

std::vector<ObjectHistory> object_histories(const reader::Run& run, const ObjectQuery& query) {
  const Found found = find_objects(run, query);
  if (found.empty()) return {};
  Histories collected(found);
  LifeOptions options;
  options.links = query.links;
  options.on_end = [&](const ObjectLife& life) { collected.settle(life, {}); };
  ObjectLives lives(std::move(options));
  MaskChoice choice;
  for_each_with_object(run, lives, [&](const Event& event, std::uint64_t object) {
    choice.see(event);
    collected.see(event, object);
  });
  lives.for_each([&](const ObjectLife& life) { collected.settle(life, lives.names(life)); });
  std::vector<ObjectHistory> histories = collected.take();
  find_setters(run, choice, histories);
  return histories;
}

FailedAttempts failed_attempts(const reader::Run& run, const ObjectQuery& query) {
  LifeOptions options;
  options.links = query.links;
  ObjectLives lives(std::move(options));
  FailedAttempts out;
  for_each_with_object(run, lives, [&](const Event& event, std::uint64_t) {
    const auto* create = std::get_if<CreateEvent>(&event);
    if (create == nullptr || create->error == 0) return;
    if (!same_text(create->path, query.path) &&
        !same_text(file_path(create->kind, create->path), query.path))
      return;
    if (++out.count <= FailedAttempts::kMost)
      out.first.push_back({*create, refusal_of(*create, lives)});
  });
  return out;
}

}  // namespace umaskaudit::analysis
