// NameTree: the names of the objects of a run, as a tree of directories, so that renaming a
// directory renames everything below it at once. Symbolic links that the run made, or that `links`
// returns, are followed in the directories of a path (path_resolution(7)).
// Must never read a disk itself, nor follow more than 40 links in one path, like the kernel. Memory
// is bounded by the names that exist at the same time. Not thread-safe.
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
  // The target of a symbolic link that existed before the run, as readlink(2) returns it; empty:
  // `directory` (absolute, without links above) is no link, or cannot be read. Called once a
  // directory.
  using Links = std::function<std::string(const std::string& directory)>;

  explicit NameTree(Links links = nullptr);
  NameTree(const NameTree&) = delete;
  NameTree& operator=(const NameTree&) = delete;

  // The node of `path`, created if missing. The last component is not followed. "." and "..",
  // double and trailing slashes are resolved. kNone: the path is empty or a directory itself ("/"),
  // or its links form a loop.
  Node make(std::string_view path);
  // Whether the path of the last make() is equal to path() of its result.
  bool is_plain() const { return plain_; }
  // The same without creating nodes; kNone if the name is not known.
  Node find(std::string_view path) const;
  // The path of a node, from "/"; without "/" if the original had none.
  std::string path(Node node) const;
  // The same, stored into `path`.
  void path(Node node, std::string* path) const;

  // Prefetches what a lookup of `path` will read, in steps with other work between them: the result
  // of the first is the argument of the others. No effect on the tree; may be wrong.
  std::uint32_t expect(std::string_view path) const;
  Node expect_node(std::uint32_t place) const;

  // The object that has this name now; 0: none.
  std::uint32_t object(Node node) const { return nodes_[node].object; }
  void set_object(Node node, std::uint32_t object) { nodes_[node].object = object; }
  // The number of times that a directory's name was moved or replaced: while it is unchanged, a
  // path leads to the same node.
  std::uint64_t moved_directories() const { return moved_; }
  // Marks the node as a symbolic link to `target`.
  void set_link(Node node, std::string_view target);
  bool is_link(Node node) const { return nodes_[node].link; }

  // Moves the node and everything below it to the name `to`, whose node must have no object and
  // nothing below; that node is deleted. No effect if `to` is below `node`.
  void move(Node node, Node to);
  // Exchanges two nodes with everything below them. No effect if one is below the other.
  void exchange(Node one, Node other);
  // Deletes a node and everything below it, and calls `lost` with each object that had a name
  // there.
  void remove(Node node, const std::function<void(std::uint32_t object, Node node)>& lost);
  // Deletes everything below a node, its object and its link, but not the node itself.
  void clear(Node node, const std::function<void(std::uint32_t object, Node node)>& lost);
  // Deletes a node without object and without anything below, and directories above it that are
  // empty then.
  void prune(Node node);

 private:
  // One cache line: a lookup of a name reads no other.
  struct alignas(64) Entry {
    Node parent = kNone;
    Node child = kNone, next = kNone, previous = kNone;  // the first below; siblings
    std::uint32_t object = 0;
    bool link = false;
    bool directory = false;  // something was below it: directories_ may have paths through it
    bool asked = false;      // `links` was called for it: kept, so that it is called once
    ShortName name;
  };
  static constexpr Node kRoot = 1;       // "/"
  static constexpr Node kUnknown = 2;    // where relative paths start
  static constexpr int kMostLinks = 40;  // path_resolution(7)

  // A directory in the spelling of a path. `plain`: as path() spells it.
  struct Directory {
    Node node = kNone;
    bool plain = false;
  };
  static constexpr std::size_t kMostDirectories = 1 << 16;  // cached at the same time
  // Finds an entry of directories_ by a cheap hash of its text.
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
  // A cache of the directories of recent paths: most objects are created beside others.
  mutable TextMap<Directory> directories_;
  mutable std::array<Recent, 64> recent_;
  bool plain_ = false;
  std::uint64_t moved_ = 0;
  std::unordered_map<Node, std::string> targets_;
};

}  // namespace umaskaudit
