// ObjectLives: the history of every object of a run: birth, changes, renames, last state. One model
// for everything that is said about objects: tables, `blame`, `explain`, rules and exports.
// Must never merge two objects because an inode number or a name was reused, and never invent a
// name: without a record, an object stays as it was last seen. Memory is bounded by the objects
// that exist at the same time; an object that is gone is passed to `on_end` and dropped. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/objects/flat_index.h"
#include "reporter/objects/name_tree.h"

namespace umaskaudit {

enum class ObjectState : std::uint8_t {
  there,     // it still has a name
  gone,      // its last name was removed
  replaced,  // another object has its last name
  unknown,   // its inode number is another object's now: it was removed without a record
};
const char* state_name(ObjectState state);

// A call that set the mode of an object; `seq` is 0: none.
struct ModeChange : EventBase {
  Mode before = 0;  // if unknown (the run did not create the object): equal to `after`
  Mode after = 0;
};

struct ObjectLife {
  std::uint64_t id = 0;  // 1, 2, ... in the merged order of creations
  trace::Kind kind = trace::Kind::unknown;
  // The birth. `born` is its event without path, steps and facts, which few lives need.
  EventBase born;
  std::string born_path;  // as recorded: not resolved
  std::string born_link;  // CreateEvent::link
  std::uint32_t requested = 0;
  Mode born_mask = 0;
  Mode born_mode = 0;
  bool mode_known = false;
  trace::Created created = trace::Created::unknown;
  std::optional<std::uint64_t> mask_set_by;
  bool mask_setter_dropped = false;  // as in CreateEvent
  bool ambiguous = false;  // several masks may have applied, and they lead to different modes
  enum class Why : std::uint8_t { mask, acl, setgid, filesystem, requested } why = Why::mask;
  std::uint64_t dev = 0, ino = 0;
  std::uint32_t uid = 0, gid = 0;
  // Later changes.
  Mode mode = 0;              // last seen
  ModeChange settled_by;      // the last call that set the mode
  ModeChange widened_by;      // the last call after which others have access that lasts to the end
  std::uint32_t changes = 0;  // successful chmod, ACL, rename, link and unlink calls
  ObjectState state = ObjectState::there;
  // Earlier names as recorded, without the first and the current ones: at most kEarlierNames, the
  // latest.
  std::vector<std::string> earlier;
  bool watched = true;  // the result of LifeOptions::watches
  // Set when the life ends, for `on_end` and for_each; before that call ObjectLives::names().
  std::string last_path;
  std::size_t name_count = 0;  // more than one after link(2)

  // The current name differs from the first one: renamed, below a renamed directory, or reached
  // through a symbolic link.
  bool named_anew() const;
};

struct LifeOptions {
  NameTree::Links links;
  // Selects the objects to keep; null: all.
  std::function<bool(const CreateEvent&)> selects;
  // Marks objects as watched, for one pass that serves two purposes with different objects; null:
  // all.
  std::function<bool(const CreateEvent&)> watches;
  // True: an object that existed before the run and that this call changed is kept from then on
  // (ObjectLife::created is `no`, and its birth is this call). Null: none.
  std::function<bool(const ChmodEvent&)> adopts;
  // Called at the end of an object's life, before it is dropped.
  std::function<void(const ObjectLife&)> on_end;
};

class ObjectLives {
 public:
  static constexpr std::size_t kEarlierNames = 16;

  explicit ObjectLives(LifeOptions options = {});
  ObjectLives(const ObjectLives&) = delete;
  ObjectLives& operator=(const ObjectLives&) = delete;

  // Call with each event of a run in merged order. Returns the id of the object that it is about;
  // 0: none of the run's.
  std::uint64_t see(const Event& event);

  // Prefetches what see() will read for a later event: started some events before, and continued
  // once an event. No other effect. With many objects most lookups miss the cache, and would wait
  // for each other.
  class Ahead {
   public:
    void begin(const ObjectLives& lives, const Event& event);
    void go_on(const ObjectLives& lives);

   private:
    std::uint32_t places_[2] = {0, 0}, inode_ = 0;
    NameTree::Node nodes_[2] = {0, 0};
    unsigned step_ = 0;
  };

  // The object that has the name `path` now; 0: none. Links in its directories are followed.
  std::uint64_t at(const std::string& path) const;
  // The object with these numbers now; 0: none.
  std::uint64_t at(std::uint64_t dev, std::uint64_t ino) const;
  // Null: there is none, or its life has ended.
  const ObjectLife* find(std::uint64_t id) const;
  // The current names of an object, oldest first: more than one after link(2).
  std::vector<std::string> names(const ObjectLife& life) const;
  // The first of them; for an object that is gone, its last name.
  std::string path(const ObjectLife& life) const;

  // The number of objects that are followed now.
  std::size_t living() const { return living_; }
  // The highest id so far; 0: nothing was created.
  std::uint64_t last_id() const { return next_id_ - 1; }

  // Objects that exist at the end, in order of birth. `last_path` is set.
  void for_each(const std::function<void(const ObjectLife&)>& visit) const;
  // The same, once for each name: after link(2) an object comes more than once. One that never had
  // a name comes with its last path.
  void for_each_name(
      const std::function<void(const ObjectLife&, const std::string& name)>& visit) const;

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;
  using Slot = std::uint32_t;  // index in lives_; 0: none
  static constexpr std::uint64_t kMoved = UINT64_MAX;
  struct Named {
    ObjectLife life;
    NameTree::Node node = NameTree::kNone;  // the first name
    // NameTree::moved_directories() at birth, while the name is the recorded one in the tree's
    // spelling; then the tree need not be read.
    std::uint64_t as_born = kMoved;
    std::vector<NameTree::Node> more;

    void reset();
  };

  std::uint64_t on(const CreateEvent& event);
  std::uint64_t on(const ChmodEvent& event);
  std::uint64_t on(const RenameEvent& event);
  std::uint64_t on(const EventBase&) { return 0; }

  std::uint64_t rename(const RenameEvent& event);
  std::uint64_t exchange(const RenameEvent& event);
  std::uint64_t link(const RenameEvent& event);
  std::uint64_t unlink(const RenameEvent& event);
  void symlink(const RenameEvent& event);

  void expect_life(Slot slot) const;
  Slot slot_of(const Inode& inode) const;
  Slot slot_of(std::uint64_t id) const;
  Named& entry(Slot slot) { return lives_[slot / kChunk][slot % kChunk]; }
  const Named& entry(Slot slot) const { return lives_[slot / kChunk][slot % kChunk]; }
  // Sets the id of the last lookup; 0: none.
  std::uint64_t id_at(Slot slot) const;
  void name_of(Slot slot, std::string* path) const;
  // Adds a life to the indexes by id and inode, and removes it.
  void enter(Slot slot);
  void leave(Slot slot);
  Slot new_slot();
  Slot adopt(const ChmodEvent& event);
  void add_name(Slot slot, NameTree::Node node);
  void lose_name(Slot slot, NameTree::Node node, ObjectState state);
  void vacate(NameTree::Node node, ObjectState state);
  void remember_name(ObjectLife& life, std::string name);
  void end(Slot slot, ObjectState state);

  LifeOptions options_;
  NameTree tree_;
  static constexpr Slot kChunk = 32;
  std::vector<std::unique_ptr<Named[]>> lives_;  // in chunks: references stay valid
  // Outside of the lives, so that lookups touch few cache lines.
  struct Keys {
    std::uint64_t id = 0;  // 0: free
    Inode inode;
  };
  std::vector<Keys> keys_;
  std::vector<Slot> free_;
  FlatIndex inodes_;
  // Ids rise, so this is in order of birth. Ended lives are removed when they are half of it.
  struct Birth {
    std::uint64_t id;
    Slot slot;
  };
  std::vector<Birth> births_;
  std::size_t living_ = 0;
  mutable Slot lately_ = 0;  // cache: the caller that gets an id asks for its life next
  std::string last_path_;    // of the life that ends; reused
  std::string file_path_;    // of the life that begins; reused
  std::uint64_t next_id_ = 1;
};

// The file of a POSIX IPC name ("/NAME" of a shared memory object is "/dev/shm/NAME"), or `path`
// itself for other kinds: shm_overview(7), sem_overview(7), mq_overview(7).
std::string file_path(trace::Kind kind, const std::string& path);

// `path` without ".", "..", double and trailing slashes; symbolic links are not read.
std::string normal_path(const std::string& path);
// The part after the last slash of `path`, without trailing slashes.
std::string_view last_component(std::string_view path);

// The mode of a creation if known: as found, or the end of its derivation.
Mode mode_of(const CreateEvent& event);

}  // namespace umaskaudit
