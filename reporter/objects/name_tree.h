// The names of the objects of a run, as a tree of directories, so that renaming a directory renames
// what lies below it at once. Symbolic links that the run made, or that `links` knows, are followed
// in the directories of a path (path_resolution(7)).
// Must never look at a disk itself; must never follow more than 40 links in one path, as the
// kernel. Memory is bounded by the names that exist at the same time. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/base/text_map.h"
#include "reporter/objects/flat_index.h"
#include "reporter/objects/short_name.h"

namespace umaskaudit {

class NameTree {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = 0;
  // The target of a symbolic link that was there before the run, as readlink(2) returns it; empty:
  // `directory` (absolute, without links above) is none, or cannot be read. Asked once a directory.
  using Links = std::function<std::string(const std::string& directory)>;

  explicit NameTree(Links links = nullptr);
  NameTree(const NameTree&) = delete;
  NameTree& operator=(const NameTree&) = delete;

  // The node of `path`, made where it does not exist. The last component is not followed. "." and
  // "..", doubled and trailing slashes are resolved. kNone: the path is empty or a directory itself
  // ("/"), or its links lead in a circle.
  Node make(std::string_view path);
  // Whether the path that make() was last called with is path() of what it returned.
  bool is_plain() const { return plain_; }
  // The same, without making anything; kNone where the name is not known.
  Node find(std::string_view path) const;
  // The path of a node, from "/"; what began without "/" comes without it.
  std::string path(Node node) const;
  // The same, in the place of what `path` holds.
  void path(Node node, std::string* path) const;

  // What a look-up of `path` will read is brought near, in steps with other work between them: the
  // first returns what the others are told. They change nothing, and may guess.
  std::uint32_t expect(std::string_view path) const;
  Node expect_node(std::uint32_t place) const;

  // The object that has this name now; 0: none is known.
  std::uint32_t object(Node node) const { return nodes_[node].object; }
  void set_object(Node node, std::uint32_t object) { nodes_[node].object = object; }
  // How often a name that others may lie below was moved or became another one's: as long as it
  // stays the same, a path leads where it led before.
  std::uint64_t moved_directories() const { return moved_; }
  // Marks the node as a symbolic link to `target`.
  void set_link(Node node, std::string_view target);
  bool is_link(Node node) const { return nodes_[node].link; }

  // Moves the node and all below it to the name `to`, whose node must have no object and nothing
  // below; it is gone afterwards. Does nothing where `to` lies below `node`.
  void move(Node node, Node to);
  // Gives each the name of the other, with all below them. Does nothing where one lies below the
  // other.
  void exchange(Node one, Node other);
  // Takes a node away with all below it, and calls `lost` with each object that had a name there.
  void remove(Node node, const std::function<void(std::uint32_t object, Node node)>& lost);
  // Takes away what lies below a node, its object and its link, but leaves the node itself.
  void clear(Node node, const std::function<void(std::uint32_t object, Node node)>& lost);
  // Takes away a node without an object and without anything below, and directories above that
  // were there for it alone.
  void prune(Node node);

 private:
  // One line of memory: a look-up of a name reads no other.
  struct alignas(64) Entry {
    Node parent = kNone;
    Node child = kNone, next = kNone, previous = kNone;  // the first below; neighbours
    std::uint32_t object = 0;
    bool link = false;
    bool directory = false;  // something lay below it: paths through it may be in directories_
    bool asked = false;      // of `links`: kept, so that it is asked once
    ShortName name;
  };
  static constexpr Node kRoot = 1;       // "/"
  static constexpr Node kUnknown = 2;    // what paths start from that are not absolute
  static constexpr int kMostLinks = 40;  // path_resolution(7)

  // A directory as paths name it. `plain`: written as path() writes it.
  struct Directory {
    Node node = kNone;
    bool plain = false;
  };
  static constexpr std::size_t kMostDirectories = 1 << 16;  // remembered at once
  // One of directories_, where a cheap hash of its text finds it.
  struct Recent {
    std::string path;
    Directory directory;
  };
  Recent& recent(std::string_view directory) const;

  bool lies_below(Node node, Node above) const;
  static std::uint32_t place_hash(Node parent, std::string_view name);
  Node child(Node parent, std::string_view name) const;
  Node child(Node parent, std::string_view name, std::uint32_t hash) const;
  Node add(Node parent, std::string_view name);
  Node add(Node parent, std::string_view name, std::uint32_t hash);
  Node child_or_new(Node parent, std::string_view name);
  void attach(Node node, Node parent, std::uint32_t hash);
  void detach(Node node);
  void free(Node node);
  void clear_below(Node node, const std::function<void(std::uint32_t object, Node node)>& lost);
  void learn_link(Node node);
  void forget_paths_through(const Entry& entry);
  Directory known_directory(std::string_view directory) const;
  Directory remember_directory(std::string_view directory, Node node) const;
  bool walk(std::string_view path, Node& at, int& links, bool last);
  Node walk_known(std::string_view path, Node at, int& links, bool last) const;

  Links links_;
  std::vector<Entry> nodes_;
  std::vector<Node> free_;
  FlatIndex children_;  // by parent and name
  // Where the directories of paths led lately: most objects lie where others were just made.
  mutable TextMap<Directory> directories_;
  mutable std::array<Recent, 64> recent_;
  bool plain_ = false;
  std::uint64_t moved_ = 0;
  std::unordered_map<Node, std::string> targets_;
};

}  // namespace umaskaudit
