// The life of every object of a run: born, changed, renamed, last seen. One model for all that
// speaks of objects: tables, `blame`, `explain`, rules and exports.
// Must never take two objects for one because an inode number or a name was used again, and never
// invent a name: what the trace did not see stays as it was last seen. Memory is bounded by the
// objects that exist at the same time; an object that is gone is handed to `on_end` and forgotten.
// Not thread-safe.
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
  there,     // nothing took its last name away
  gone,      // its last name was removed
  replaced,  // another object has its last name
  unknown,   // its inode number belongs to another object now: it went unseen
};
const char* state_name(ObjectState state);

// A call that set the mode of an object; `seq` is 0 where there was none.
struct ModeChange : EventBase {
  Mode before = 0;  // unknown where the run did not make the object: equal to `after`
  Mode after = 0;
};

struct ObjectLife {
  std::uint64_t id = 0;  // 1, 2, ... in the merged order of what was made
  trace::Kind kind = trace::Kind::unknown;
  // Birth. `born` is its event without path, steps and facts, which are kept for few.
  EventBase born;
  std::string born_path;  // as recorded: not resolved
  std::string born_link;  // CreateEvent::link
  std::uint32_t requested = 0;
  Mode born_mask = 0;
  Mode born_mode = 0;
  bool mode_known = false;
  trace::Created created = trace::Created::unknown;
  std::optional<std::uint64_t> mask_set_by;
  bool mask_setter_dropped = false;  // CreateEvent's
  bool ambiguous = false;  // more than one mask may have been in force, and not one mode results
  enum class Why : std::uint8_t { mask, acl, setgid, filesystem, requested } why = Why::mask;
  std::uint64_t dev = 0, ino = 0;
  std::uint32_t uid = 0, gid = 0;
  // Since then.
  Mode mode = 0;              // last seen
  ModeChange settled_by;      // the last call that set the mode
  ModeChange widened_by;      // the last call that gave other people something at the end
  std::uint32_t changes = 0;  // chmod, ACL, rename, link and unlink that succeeded
  ObjectState state = ObjectState::there;
  // Names that it had, as they were recorded, without the one it was born with and the present
  // ones: kEarlierNames at most, the latest.
  std::vector<std::string> earlier;
  bool watched = true;  // what LifeOptions::watches said
  // Set when the life ends, for `on_end` and for_each; else ask ObjectLives::names().
  std::string last_path;
  std::size_t name_count = 0;  // more than one after link(2)

  // The name it was born with is not the one it has: renamed, below a renamed directory, or
  // reached through a symbolic link.
  bool named_anew() const;
};

struct LifeOptions {
  NameTree::Links links;
  // Only what this selects is kept; null: all.
  std::function<bool(const CreateEvent&)> selects;
  // Whether an object that is kept is marked as watched, for one reading that serves two who want
  // to know of different objects; null: each is.
  std::function<bool(const CreateEvent&)> watches;
  // True: an object that was there before the run, and that this call changed, is kept from then on
  // (ObjectLife::created is `no`, its birth is the call). Null: none is.
  std::function<bool(const ChmodEvent&)> adopts;
  // The end of an object's life, before it is forgotten.
  std::function<void(const ObjectLife&)> on_end;
};

class ObjectLives {
 public:
  static constexpr std::size_t kEarlierNames = 16;

  explicit ObjectLives(LifeOptions options = {});
  ObjectLives(const ObjectLives&) = delete;
  ObjectLives& operator=(const ObjectLives&) = delete;

  // Call with each event of a run in merged order. Returns the id of the object that it is about;
  // 0: none that the run made.
  std::uint64_t see(const Event& event);

  // What see() will read of an event to come is brought near: begun some events before, and gone on
  // with once an event. It changes nothing. Of many objects most lie in no cache, and one look-up
  // waits for another.
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
  // The names that an object has now, oldest first: more than one after link(2).
  std::vector<std::string> names(const ObjectLife& life) const;
  // The first of them; for one that is gone, the last one it had.
  std::string path(const ObjectLife& life) const;

  // How many objects are followed now.
  std::size_t living() const { return living_; }
  // The highest id that was given; 0: nothing was made.
  std::uint64_t last_id() const { return next_id_ - 1; }

  // What exists at the end, in order of birth. `last_path` is filled in.
  void for_each(const std::function<void(const ObjectLife&)>& visit) const;
  // The same, once for each name that an object has: after link(2) it comes more than once. One
  // that never had a name comes with its last path.
  void for_each_name(
      const std::function<void(const ObjectLife&, const std::string& name)>& visit) const;

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;
  using Slot = std::uint32_t;  // index in lives_; 0: none
  static constexpr std::uint64_t kMoved = UINT64_MAX;
  struct Named {
    ObjectLife life;
    NameTree::Node node = NameTree::kNone;  // the first name
    // NameTree::moved_directories() when it was born, while its name is the recorded one, written
    // as the tree writes it; then the tree need not be asked.
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
  // Its id, which becomes that of the last look-up; 0: there is none.
  std::uint64_t id_at(Slot slot) const;
  void name_of(Slot slot, std::string* path) const;
  // Enters a life into the indexes, by its id and its inode, and takes it out.
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
  // Beside the lives: what look-ups need, close together.
  struct Keys {
    std::uint64_t id = 0;  // 0: no life goes on here
    Inode inode;
  };
  std::vector<Keys> keys_;
  std::vector<Slot> free_;
  FlatIndex inodes_;
  // Ids rise, so the order of birth is sorted by them. Those whose life has ended are taken out
  // when they are half of it.
  struct Birth {
    std::uint64_t id;
    Slot slot;
  };
  std::vector<Birth> births_;
  std::size_t living_ = 0;
  mutable Slot lately_ = 0;  // whoever is told of an id asks for its life
  std::string last_path_;    // of the life that ends: its memory is used again
  std::string file_path_;    // the same, of one that begins
  std::uint64_t next_id_ = 1;
};

// The file that a POSIX IPC name stands for ("/NAME" of a shared memory object is
// "/dev/shm/NAME"), or `path` itself for other kinds: shm_overview(7), sem_overview(7),
// mq_overview(7).
std::string file_path(trace::Kind kind, const std::string& path);

// `path` without ".", "..", doubled and trailing slashes; symbolic links are not looked at.
std::string normal_path(const std::string& path);
// What follows the last slash of `path`, its trailing slashes left out.
std::string_view last_component(std::string_view path);

// The mode of a creation as far as it is known: found, or the end of its derivation.
Mode mode_of(const CreateEvent& event);

}  // namespace umaskaudit
