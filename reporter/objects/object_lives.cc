// Follows inode numbers and names through the events of a run; see object_lives.h.
#include "reporter/objects/object_lives.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace umaskaudit {
namespace {

constexpr Mode kAllBits = 07777;
constexpr Mode kOtherPeople = 077;
constexpr std::uint16_t kDefaultAcl = 2;  // ChmodEvent::acl

// Whether file_path() may differ from the recorded path.
bool is_ipc(trace::Kind kind) {
  return kind == trace::Kind::shm || kind == trace::Kind::sem || kind == trace::Kind::mqueue;
}

std::string without_slashes(const std::string& name) {
  return name.substr(std::min(name.find_first_not_of('/'), name.size()));
}

// Whether several masks may have applied, and the mode does not show which.
bool is_ambiguous(const CreateEvent& event) {
  if (event.ambiguous_masks.empty()) return false;
  if (!event.final_mode) return true;
  const CreationFacts facts = facts_of(event);
  const Mode mode = *event.final_mode & kAllBits;
  if (predicted_mode(facts, event.mask) != mode) return true;
  return std::any_of(event.ambiguous_masks.begin(), event.ambiguous_masks.end(), [&](Mode mask) {
    return mask != event.mask && predicted_mode(facts, mask) == mode;
  });
}

ObjectLife::Why why_of(const CreateEvent& event) {
  auto why = ObjectLife::Why::requested;
  for (const Step& step : event.steps) {
    const bool changed = step.sets != 0 || step.clears != 0;
    if (step.rule == Rule::default_acl) return ObjectLife::Why::acl;
    if (step.rule == Rule::filesystem && changed) return ObjectLife::Why::filesystem;
    if (step.rule == Rule::setgid_parent && changed) why = ObjectLife::Why::setgid;
    if (step.rule == Rule::umask && why == ObjectLife::Why::requested) why = ObjectLife::Why::mask;
  }
  return why;
}

std::uint32_t inode_hash(const std::pair<std::uint64_t, std::uint64_t>& inode) {
  return mixed(inode.first << 32 ^ inode.second);
}

ModeChange change_of(const ChmodEvent& event, Mode before, Mode after) {
  return {event, before, after};
}

}  // namespace

const char* state_name(ObjectState state) {
  switch (state) {
    case ObjectState::there:
      return "there";
    case ObjectState::gone:
      return "gone";
    case ObjectState::replaced:
      return "replaced";
    case ObjectState::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string file_path(trace::Kind kind, const std::string& path) {
  switch (kind) {
    case trace::Kind::shm:
      return path.starts_with("/dev/shm/") ? path : "/dev/shm/" + without_slashes(path);
    case trace::Kind::sem:
      return path.starts_with("/dev/shm/") ? path : "/dev/shm/sem." + without_slashes(path);
    case trace::Kind::mqueue:
      return path.starts_with("/dev/mqueue/") ? path : "/dev/mqueue/" + without_slashes(path);
    default:
      return path;
  }
}

Mode mode_of(const CreateEvent& event) {
  if (event.final_mode) return *event.final_mode & kAllBits;
  return event.steps.empty() ? 0 : event.steps.back().mode & kAllBits;
}

bool ObjectLife::named_anew() const {
  if (last_path == born_path && !is_ipc(kind)) return false;
  const std::string at_birth = file_path(kind, born_path);
  return last_path != at_birth && last_path != normal_path(at_birth);
}

std::string normal_path(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::string_view last_component(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

ObjectLives::ObjectLives(LifeOptions options)
    : options_(std::move(options)), tree_(options_.links), keys_(1) {
  lives_.push_back(std::make_unique<Named[]>(kChunk));
}

std::uint64_t ObjectLives::see(const Event& event) {
  return std::visit([this](const auto& one) { return on(one); }, event);
}

ObjectLives::Slot ObjectLives::slot_of(const Inode& inode) const {
  if (inode.second == 0) return 0;
  return inodes_.find(inode_hash(inode), [&](Slot slot) { return keys_[slot].inode == inode; });
}

ObjectLives::Slot ObjectLives::slot_of(std::uint64_t id) const {
  if (id == 0) return 0;
  if (keys_[lately_].id == id) return lately_;
  const auto found =
      std::lower_bound(births_.begin(), births_.end(), id,
                       [](const Birth& one, std::uint64_t of) { return one.id < of; });
  if (found == births_.end() || found->id != id || keys_[found->slot].id != id) return 0;
  return lately_ = found->slot;
}

std::uint64_t ObjectLives::id_at(Slot slot) const {
  lately_ = slot;
  return keys_[slot].id;
}

void ObjectLives::enter(Slot slot) {
  const ObjectLife& life = entry(slot).life;
  Keys& keys = keys_[slot];
  keys.id = life.id;
  keys.inode = {life.dev, life.ino};
  ++living_;
  births_.push_back({life.id, slot});
  lately_ = slot;
  if (life.ino != 0) inodes_.insert(slot, inode_hash(keys.inode));
}

void ObjectLives::leave(Slot slot) {
  Keys& keys = keys_[slot];
  if (keys.inode.second != 0) inodes_.erase(slot, inode_hash(keys.inode));
  keys = {};
  --living_;
  if (births_.size() < 2 * living_ + kChunk) return;
  std::erase_if(births_, [this](const Birth& one) { return keys_[one.slot].id != one.id; });
}

void ObjectLives::Ahead::begin(const ObjectLives& lives, const Event& event) {
  *this = {};
  const auto expect = [&](std::uint64_t dev, std::uint64_t ino) {
    inode_ = inode_hash({dev, ino});
    lives.inodes_.prefetch(inode_);
  };
  if (const auto* create = std::get_if<CreateEvent>(&event)) {
    expect(create->dev, create->ino);
    places_[0] = lives.tree_.expect(create->path);
  } else if (const auto* rename = std::get_if<RenameEvent>(&event)) {
    expect(rename->dev, rename->ino);
    places_[0] = lives.tree_.expect(rename->from);
    places_[1] = lives.tree_.expect(rename->to);
  } else if (const auto* chmod = std::get_if<ChmodEvent>(&event)) {
    expect(chmod->dev, chmod->ino);
  }
}

// Prefetches in steps: entries of the tables, the lives that they name, and what those name.
void ObjectLives::Ahead::go_on(const ObjectLives& lives) {
  switch (step_++) {
    case 0:
      if (inode_ != 0) lives.expect_life(lives.inodes_.guess(inode_));
      for (std::size_t i = 0; i < std::size(places_); ++i)
        if (places_[i] != 0) nodes_[i] = lives.tree_.expect_node(places_[i]);
      return;
    case 1:
      for (const NameTree::Node node : nodes_)
        if (node != NameTree::kNone) lives.expect_life(lives.tree_.object(node));
      return;
    case 2:
      for (const NameTree::Node node : nodes_) {
        const Slot slot = node == NameTree::kNone ? 0 : lives.tree_.object(node);
        if (slot == 0) continue;
        __builtin_prefetch(lives.entry(slot).life.born_path.data());
        lives.inodes_.prefetch(inode_hash(lives.keys_[slot].inode));
      }
      return;
  }
}

void ObjectLives::expect_life(Slot slot) const {
  if (slot == 0) return;
  __builtin_prefetch(&keys_[slot]);
  constexpr std::size_t kLine = 64;
  const auto* bytes = reinterpret_cast<const char*>(&entry(slot));
  for (std::size_t at = 0; at < sizeof(Named); at += kLine) __builtin_prefetch(bytes + at);
}

std::uint64_t ObjectLives::on(const CreateEvent& event) {
  if (event.error != 0) return 0;
  const Inode inode{event.dev, event.ino};
  if (event.created == trace::Created::no) return at(event.dev, event.ino);
  if (const Slot before = slot_of(inode); before != 0) end(before, ObjectState::unknown);
  const std::uint64_t id = next_id_++;
  // O_TMPFILE (open(2)) makes a file without a name; a link gives it one.
  const bool has_name = event.kind != trace::Kind::tmpfile;
  const bool kept = !options_.selects || options_.selects(event);
  NameTree::Node node = NameTree::kNone;
  // No names for objects that are not kept: names would grow with everything ever created.
  if (has_name && (kept || living_ != 0)) {
    if (is_ipc(event.kind)) file_path_ = file_path(event.kind, event.path);
    const std::string& path = is_ipc(event.kind) ? file_path_ : event.path;
    node = kept ? tree_.make(path) : tree_.find(path);
  }
  // The previous object must have lost this name, or nothing could have been created here.
  if (node != NameTree::kNone) vacate(node, ObjectState::replaced);
  if (!kept) {
    if (node != NameTree::kNone) tree_.prune(node);
    return id;
  }
  const Slot slot = new_slot();
  ObjectLife& life = entry(slot).life;
  life.id = id;
  life.kind = event.kind;
  life.born = event;
  life.born_path = event.path;
  life.born_link = event.link;
  life.requested = event.requested;
  life.born_mask = event.mask;
  life.born_mode = life.mode = mode_of(event);
  life.mode_known = event.final_mode.has_value();
  life.created = event.created;
  life.mask_set_by = event.mask_set_by;
  life.mask_setter_dropped = event.mask_setter_dropped;
  life.ambiguous = is_ambiguous(event);
  life.why = why_of(event);
  life.watched = !options_.watches || options_.watches(event);
  life.dev = event.dev;
  life.ino = event.ino;
  life.uid = event.uid;
  life.gid = event.gid;
  enter(slot);
  if (node != NameTree::kNone) {
    add_name(slot, node);
    if (tree_.is_plain()) entry(slot).as_born = tree_.moved_directories();
  }
  return id;
}

// Reuses the memory of strings for the next life.
void ObjectLives::Named::reset() {
  std::string born_path = std::move(life.born_path);
  std::vector<std::string> earlier = std::move(life.earlier);
  life = {};
  born_path.clear();
  earlier.clear();
  life.born_path = std::move(born_path);
  life.earlier = std::move(earlier);
  node = NameTree::kNone;
  as_born = kMoved;
  more.clear();
}

ObjectLives::Slot ObjectLives::new_slot() {
  if (!free_.empty()) {
    const Slot slot = free_.back();
    free_.pop_back();
    entry(slot).reset();
    return slot;
  }
  const auto slot = static_cast<Slot>(keys_.size());
  if (slot % kChunk == 0) lives_.push_back(std::make_unique<Named[]>(kChunk));
  keys_.emplace_back();
  return slot;
}

// The object before the call is not known, and of its names only the one that was used.
ObjectLives::Slot ObjectLives::adopt(const ChmodEvent& event) {
  if (!options_.adopts || event.error != 0 || event.ino == 0 || event.path.empty()) return 0;
  if (!event.final_mode || event.acl == kDefaultAcl || !options_.adopts(event)) return 0;
  const Slot slot = new_slot();
  ObjectLife& life = entry(slot).life;
  life.id = next_id_++;
  life.born = event;
  life.born_path = event.path;
  life.created = trace::Created::no;
  life.born_mode = life.mode = *event.final_mode & kAllBits;
  life.dev = event.dev;
  life.ino = event.ino;
  enter(slot);
  // chmod(2) follows a symbolic link, and then the name is the link's.
  const NameTree::Node node = tree_.make(event.path);
  const bool own = node != NameTree::kNone && tree_.object(node) == 0 && !tree_.is_link(node);
  if (own) add_name(slot, node);
  return slot;
}

std::uint64_t ObjectLives::on(const ChmodEvent& event) {
  Slot slot = slot_of({event.dev, event.ino});
  const bool adopted = slot == 0;
  if (adopted) slot = adopt(event);
  if (slot == 0) return 0;
  ObjectLife& life = entry(slot).life;
  if (event.error != 0) return life.id;
  ++life.changes;
  if (!event.final_mode || event.acl == kDefaultAcl) return life.id;
  const Mode after = *event.final_mode & kAllBits;
  life.settled_by = change_of(event, life.mode, after);
  // Set-user-ID and set-group-ID give access to others as well.
  if (adopted || (after & ~life.mode & (kOtherPeople | 06000)) != 0)
    life.widened_by = life.settled_by;
  life.mode = after;
  life.mode_known = true;
  return life.id;
}

std::uint64_t ObjectLives::on(const RenameEvent& event) {
  if (event.error != 0) return at(event.dev, event.ino);
  switch (event.action) {
    case RenameEvent::Action::renamed:
      return event.exchange ? exchange(event) : rename(event);
    case RenameEvent::Action::linked:
      return link(event);
    case RenameEvent::Action::unlinked:
      return unlink(event);
    case RenameEvent::Action::symlinked:
      symlink(event);
      return 0;
  }
  return 0;
}

std::uint64_t ObjectLives::rename(const RenameEvent& event) {
  NameTree::Node from = tree_.find(event.from);
  Slot slot = slot_of({event.dev, event.ino});
  if (slot == 0 && from != NameTree::kNone) slot = tree_.object(from);
  const std::uint64_t id = id_at(slot);
  const NameTree::Node to = tree_.make(event.to);
  // rename(2): a file onto itself, or between two links of one file, has no effect.
  if (to == NameTree::kNone || to == from || (slot != 0 && tree_.object(to) == slot)) return id;
  vacate(to, ObjectState::replaced);
  // A damaged trace may have moved a directory below itself.
  slot = slot_of(id);
  from = tree_.find(event.from);
  if (slot != 0) {
    ++entry(slot).life.changes;
    remember_name(entry(slot).life, event.from);
    entry(slot).as_born = kMoved;
  }
  const bool as_known = from != NameTree::kNone && tree_.object(from) == slot;
  if (as_known) {  // also a directory that the run did not create, or a symbolic link
    tree_.move(from, to);
    // what was renamed is not in the trace: only the replaced object is known
  } else if (slot == 0) {
    tree_.prune(to);
  } else if (entry(slot).node == NameTree::kNone) {
    add_name(slot, to);
  } else {  // it was renamed before without a record
    tree_.move(entry(slot).node, to);
  }
  return id;
}

// RENAME_EXCHANGE (renameat2(2)): both names stay. An object that the run did not create is
// exchanged as well, because objects below a directory move with it.
std::uint64_t ObjectLives::exchange(const RenameEvent& event) {
  const NameTree::Node from = tree_.make(event.from);
  const NameTree::Node to = tree_.make(event.to);
  if (from == NameTree::kNone || to == NameTree::kNone || from == to) return 0;
  const Slot moved = tree_.object(from);
  const auto note = [&](Slot slot, const std::string& name) {
    if (slot == 0) return;
    ++entry(slot).life.changes;
    remember_name(entry(slot).life, name);
    entry(slot).as_born = kMoved;
  };
  note(moved, event.from);
  note(tree_.object(to), event.to);
  tree_.exchange(from, to);
  tree_.prune(from);
  tree_.prune(to);
  return id_at(moved);
}

std::uint64_t ObjectLives::link(const RenameEvent& event) {
  Slot slot = slot_of({event.dev, event.ino});
  if (slot == 0) {
    const NameTree::Node from = tree_.find(event.from);
    if (from != NameTree::kNone) slot = tree_.object(from);
  }
  const std::uint64_t id = id_at(slot);
  const NameTree::Node to = tree_.make(event.to);
  if (to == NameTree::kNone) return id;
  if (slot != 0) ++entry(slot).life.changes;
  if (slot != 0 && tree_.object(to) == slot) return id;
  vacate(to, ObjectState::replaced);
  slot = slot_of(id);
  if (slot == 0)
    tree_.prune(to);
  else
    add_name(slot, to);
  return id;
}

std::uint64_t ObjectLives::unlink(const RenameEvent& event) {
  const NameTree::Node node = tree_.find(event.from);
  if (node == NameTree::kNone) return 0;
  const Slot slot = tree_.object(node);
  const std::uint64_t id = id_at(slot);
  if (slot != 0) ++entry(slot).life.changes;
  // A directory is empty when it is removed: objects below it were removed without a record.
  tree_.remove(node, [this](std::uint32_t object, NameTree::Node at) {
    lose_name(object, at, ObjectState::gone);
  });
  return id;
}

void ObjectLives::symlink(const RenameEvent& event) {
  const NameTree::Node node = tree_.make(event.to);
  if (node == NameTree::kNone) return;
  vacate(node, ObjectState::replaced);
  tree_.set_link(node, event.from);
}

void ObjectLives::add_name(Slot slot, NameTree::Node node) {
  tree_.set_object(node, slot);
  Named& named = entry(slot);
  if (named.node == NameTree::kNone)
    named.node = node;
  else
    named.more.push_back(node);
}

// `node` is about to be deleted or to get another object; its path is still valid.
void ObjectLives::lose_name(Slot slot, NameTree::Node node, ObjectState state) {
  Named& named = entry(slot);
  if (named.node == node && named.more.empty()) {
    end(slot, state);
    return;
  }
  remember_name(named.life, tree_.path(node));
  if (named.node == node) {
    named.as_born = kMoved;
    named.node = named.more.front();
    named.more.erase(named.more.begin());
  } else {
    std::erase(named.more, node);
  }
}

// Leaves a node without object and without anything below.
void ObjectLives::vacate(NameTree::Node node, ObjectState state) {
  tree_.clear(node, [this, state](std::uint32_t object, NameTree::Node at) {
    lose_name(object, at, state);
  });
}

void ObjectLives::remember_name(ObjectLife& life, std::string name) {
  if (name == life.born_path) return;
  std::vector<std::string>& names = life.earlier;
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  if (names.size() == kEarlierNames) names.erase(names.begin());
  names.push_back(std::move(name));
}

// The object's names must still be in the tree: the last one is stored with it.
void ObjectLives::end(Slot slot, ObjectState state) {
  Named& named = entry(slot);
  // A file that never had a name was deleted with its last descriptor.
  const bool nameless = named.node == NameTree::kNone && named.life.kind == trace::Kind::tmpfile;
  named.life.state = nameless ? ObjectState::gone : state;
  if (options_.on_end) name_of(slot, &last_path_);
  named.life.name_count = named.more.size() + (named.node == NameTree::kNone ? 0 : 1);
  leave(slot);
  const auto forget = [&](NameTree::Node node) {
    if (tree_.object(node) == slot) tree_.set_object(node, 0);
  };
  if (named.node != NameTree::kNone) forget(named.node);
  for (const NameTree::Node node : named.more) forget(node);
  if (options_.on_end) {
    named.life.last_path.swap(last_path_);
    options_.on_end(named.life);
    named.life.last_path.swap(last_path_);
  }
  free_.push_back(slot);
}

std::uint64_t ObjectLives::at(const std::string& path) const {
  const NameTree::Node node = tree_.find(path);
  const Slot slot = node == NameTree::kNone ? 0 : tree_.object(node);
  return id_at(slot);
}

std::uint64_t ObjectLives::at(std::uint64_t dev, std::uint64_t ino) const {
  const Slot slot = slot_of({dev, ino});
  return id_at(slot);
}

const ObjectLife* ObjectLives::find(std::uint64_t id) const {
  const Slot slot = slot_of(id);
  return slot == 0 ? nullptr : &entry(slot).life;
}

std::vector<std::string> ObjectLives::names(const ObjectLife& life) const {
  std::vector<std::string> out;
  const Slot slot = slot_of(life.id);
  if (slot == 0) return out;
  const Named& named = entry(slot);
  if (named.node != NameTree::kNone) out.push_back(tree_.path(named.node));
  for (const NameTree::Node node : named.more) out.push_back(tree_.path(node));
  return out;
}

std::string ObjectLives::path(const ObjectLife& life) const {
  const Slot slot = slot_of(life.id);
  if (slot == 0) return life.last_path;
  std::string path;
  name_of(slot, &path);
  return path;
}

void ObjectLives::name_of(Slot slot, std::string* path) const {
  const Named& named = entry(slot);
  const ObjectLife& life = named.life;
  if (named.node == NameTree::kNone)
    *path = life.born_path;
  else if (named.as_born != tree_.moved_directories())
    tree_.path(named.node, path);
  else if (is_ipc(life.kind))
    *path = file_path(life.kind, life.born_path);
  else
    *path = life.born_path;
}

void ObjectLives::for_each(const std::function<void(const ObjectLife&)>& visit) const {
  ObjectLife life;  // one object for all, to reuse its strings
  for (const Birth& birth : births_) {
    if (keys_[birth.slot].id != birth.id) continue;
    const Named& named = entry(birth.slot);
    life = named.life;
    name_of(birth.slot, &life.last_path);
    life.name_count = named.more.size() + (named.node == NameTree::kNone ? 0 : 1);
    // It cannot be opened any more once the run is over.
    if (named.node == NameTree::kNone && life.kind == trace::Kind::tmpfile)
      life.state = ObjectState::gone;
    lately_ = birth.slot;
    visit(life);
  }
}

void ObjectLives::for_each_name(
    const std::function<void(const ObjectLife&, const std::string& name)>& visit) const {
  for_each([&](const ObjectLife& life) {
    const std::vector<std::string> all = names(life);
    if (all.empty()) visit(life, life.last_path);
    for (const std::string& name : all) visit(life, name);
  });
}

}  // namespace umaskaudit
