// Walks, moves and removals. See name_tree.h.
#include "reporter/objects/name_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace umaskaudit {
namespace {

// Splits the first component off `rest`; empty if there is none.
std::string_view next_component(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  const std::string_view component = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return component;
}

// The directory of a path with its slash, and the last component; nothing if the path has no slash,
// or does not end in a name.
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return {};
  const std::string_view name = path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return {};
  return {path.substr(0, slash + 1), name};
}

bool is_last(std::string_view rest) { return rest.find_first_not_of('/') == rest.npos; }

}  // namespace

NameTree::NameTree(Links links) : links_(std::move(links)), nodes_(3) {}

std::uint32_t NameTree::place_hash(Node parent, std::string_view name) {
  return mixed(std::hash<std::string_view>()(name) + parent);
}

NameTree::Node NameTree::child(Node parent, std::string_view name) const {
  return child(parent, name, place_hash(parent, name));
}

NameTree::Node NameTree::child(Node parent, std::string_view name, std::uint32_t hash) const {
  return children_.find(hash, [&](Node node) {
    return nodes_[node].parent == parent && nodes_[node].name.view() == name;
  });
}

NameTree::Node NameTree::add(Node parent, std::string_view name) {
  return add(parent, name, place_hash(parent, name));
}

NameTree::Node NameTree::add(Node parent, std::string_view name, std::uint32_t hash) {
  Node node = kNone;
  if (free_.empty()) {
    node = static_cast<Node>(nodes_.size());
    nodes_.emplace_back();
  } else {
    node = free_.back();
    free_.pop_back();
    nodes_[node] = Entry{};
  }
  nodes_[node].name.assign(name);
  attach(node, parent, hash);
  return node;
}

NameTree::Node NameTree::child_or_new(Node parent, std::string_view name) {
  const std::uint32_t hash = place_hash(parent, name);
  const Node found = child(parent, name, hash);
  return found == kNone ? add(parent, name, hash) : found;
}

void NameTree::attach(Node node, Node parent, std::uint32_t hash) {
  Entry& entry = nodes_[node];
  entry.parent = parent;
  entry.previous = kNone;
  entry.next = nodes_[parent].child;
  if (entry.next != kNone) nodes_[entry.next].previous = node;
  nodes_[parent].child = node;
  nodes_[parent].directory = true;
  children_.insert(node, hash);
}

void NameTree::detach(Node node) {
  Entry& entry = nodes_[node];
  children_.erase(node, place_hash(entry.parent, entry.name.view()));
  if (entry.previous != kNone)
    nodes_[entry.previous].next = entry.next;
  else
    nodes_[entry.parent].child = entry.next;
  if (entry.next != kNone) nodes_[entry.next].previous = entry.previous;
}

void NameTree::free(Node node) {
  forget_paths_through(nodes_[node]);
  if (nodes_[node].link) targets_.erase(node);
  free_.push_back(node);
}

void NameTree::forget_paths_through(const Entry& entry) {
  if (!entry.directory && !entry.link) return;
  directories_.clear();
  for (Recent& one : recent_) one.directory = {};
  ++moved_;
}

// Hashes the last bytes, because the paths of a run begin alike.
NameTree::Recent& NameTree::recent(std::string_view directory) const {
  std::uint64_t last = directory.size();
  const std::size_t size = std::min(directory.size(), sizeof last);
  if (size > 0) std::memcpy(&last, directory.data() + directory.size() - size, size);
  return recent_[mixed(last) % recent_.size()];
}

NameTree::Directory NameTree::known_directory(std::string_view directory) const {
  Recent& one = recent(directory);
  if (one.directory.node != kNone && one.path == directory) return one.directory;
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return {};
  one.path = directory;
  one.directory = found->second;
  return found->second;
}

NameTree::Directory NameTree::remember_directory(std::string_view directory, Node node) const {
  const bool plain = directory == (node == kRoot ? "/" : path(node) + '/');
  // Other nodes have nothing to be forgotten.
  const bool lasting = node == kRoot || node == kUnknown || nodes_[node].directory;
  if (!lasting) return {node, plain};
  if (directories_.size() == kMostDirectories) directories_.clear();
  directories_.emplace(directory, Directory{node, plain});
  return {node, plain};
}

void NameTree::set_link(Node node, std::string_view target) {
  forget_paths_through(nodes_[node]);
  nodes_[node].link = true;
  targets_[node] = target;
}

void NameTree::learn_link(Node node) {
  nodes_[node].asked = true;  // also without an answer: it existed before the run
  if (!links_) return;
  const std::string target = links_(path(node));
  if (!target.empty()) set_link(node, target);
}

// Walks from `at`, which becomes the node of `path`. `last`: the last component is the name itself,
// so it is not followed.
bool NameTree::walk(std::string_view path, Node& at, int& links, bool last) {
  if (path.starts_with('/')) at = kRoot;
  std::string_view rest = path;
  for (std::string_view name = next_component(rest); !name.empty(); name = next_component(rest)) {
    if (name == ".") continue;
    if (name == "..") {
      if (at != kRoot && at != kUnknown) at = nodes_[at].parent;
      continue;
    }
    const Node above = at;
    const bool final = last && is_last(rest);
    at = child(above, name);
    if (at == kNone) {
      at = add(above, name);
      if (!final) learn_link(at);
    }
    if (final || !nodes_[at].link) continue;
    if (++links > kMostLinks) return false;
    const std::string target = targets_.at(at);
    at = above;
    if (!walk(target, at, links, false)) return false;
  }
  return true;
}

NameTree::Node NameTree::make(std::string_view path) {
  const auto [directory, name] = split(path);
  if (!name.empty()) {
    Directory above = known_directory(directory);
    if (above.node == kNone) {
      int links = 0;
      Node at = kUnknown;
      if (!walk(directory, at, links, false)) return kNone;
      nodes_[at].directory = true;
      above = remember_directory(directory, at);
    }
    plain_ = above.plain;
    return child_or_new(above.node, name);
  }
  plain_ = false;
  Node at = kUnknown;
  int links = 0;
  if (path.empty() || !walk(path, at, links, true)) return kNone;
  return at == kRoot || at == kUnknown ? kNone : at;
}

std::uint32_t NameTree::expect(std::string_view path) const {
  const auto [directory, name] = split(path);
  if (name.empty()) return 0;
  const Directory above = known_directory(directory);
  if (above.node == kNone) return 0;
  const std::uint32_t place = place_hash(above.node, name);
  children_.prefetch(place);
  return place;
}

NameTree::Node NameTree::expect_node(std::uint32_t place) const {
  const Node node = children_.guess(place);
  __builtin_prefetch(&nodes_[node]);
  return node;
}

NameTree::Node NameTree::walk_known(std::string_view path, Node at, int& links, bool last) const {
  if (path.starts_with('/')) at = kRoot;
  std::string_view rest = path;
  for (std::string_view name = next_component(rest); !name.empty(); name = next_component(rest)) {
    if (name == ".") continue;
    if (name == "..") {
      if (at != kRoot && at != kUnknown) at = nodes_[at].parent;
      continue;
    }
    const Node above = at;
    at = child(above, name);
    if (at == kNone) return kNone;
    if ((last && is_last(rest)) || !nodes_[at].link) continue;
    if (++links > kMostLinks) return kNone;
    at = walk_known(targets_.at(at), above, links, false);
    if (at == kNone) return kNone;
  }
  return at;
}

NameTree::Node NameTree::find(std::string_view path) const {
  const auto [directory, name] = split(path);
  if (!name.empty()) {
    Directory above = known_directory(directory);
    if (above.node == kNone) {
      int links = 0;
      const Node at = walk_known(directory, kUnknown, links, false);
      if (at == kNone) return kNone;
      above = remember_directory(directory, at);
    }
    return child(above.node, name);
  }
  int links = 0;
  const Node at = path.empty() ? kNone : walk_known(path, kUnknown, links, true);
  return at == kRoot || at == kUnknown ? kNone : at;
}

std::string NameTree::path(Node node) const {
  std::string out;
  path(node, &out);
  return out;
}

void NameTree::path(Node node, std::string* path) const {
  std::size_t length = 0;
  Node at = node;
  for (; at != kRoot && at != kUnknown && at != kNone; at = nodes_[at].parent)
    length += 1 + nodes_[at].name.view().size();
  const bool absolute = at == kRoot;
  path->resize(length - (absolute || length == 0 ? 0 : 1));
  // Built from its end, because nodes lead upwards.
  std::size_t left = path->size();
  for (at = node; left > 0; at = nodes_[at].parent) {
    const std::string_view name = nodes_[at].name.view();
    left -= name.size();
    name.copy(path->data() + left, name.size());
    if (left > 0) (*path)[--left] = '/';
  }
}

// Or is it.
bool NameTree::lies_below(Node node, Node above) const {
  for (Node at = node; at != kNone; at = nodes_[at].parent)
    if (at == above) return true;
  return false;
}

void NameTree::exchange(Node one, Node other) {
  if (lies_below(one, other) || lies_below(other, one)) return;
  const Node parent = nodes_[one].parent;
  const Node other_parent = nodes_[other].parent;
  forget_paths_through(nodes_[one]);
  forget_paths_through(nodes_[other]);
  detach(one);
  detach(other);
  std::swap(nodes_[one].name, nodes_[other].name);
  attach(one, other_parent, place_hash(other_parent, nodes_[one].name.view()));
  attach(other, parent, place_hash(parent, nodes_[other].name.view()));
}

void NameTree::move(Node node, Node to) {
  if (lies_below(to, node)) return;
  const Node parent = nodes_[to].parent;
  const Node before = nodes_[node].parent;
  forget_paths_through(nodes_[node]);
  detach(to);
  detach(node);
  nodes_[node].name = std::move(nodes_[to].name);
  free(to);
  attach(node, parent, place_hash(parent, nodes_[node].name.view()));
  prune(before);
}

void NameTree::clear(Node node, const std::function<void(std::uint32_t object, Node node)>& lost) {
  if (nodes_[node].child == kNone) {  // nearly always
    if (nodes_[node].object != 0) lost(nodes_[node].object, node);
  } else {
    clear_below(node, lost);
  }
  Entry& entry = nodes_[node];
  entry.object = 0;
  forget_paths_through(entry);
  if (entry.link) targets_.erase(node);
  entry.link = false;
}

// Removes everything below, then the node's object.
void NameTree::clear_below(Node node,
                           const std::function<void(std::uint32_t object, Node node)>& lost) {
  // Iterative: a trace may hold any number of components.
  std::vector<Node> below{node};
  for (std::size_t i = 0; i < below.size(); ++i)
    for (Node one = nodes_[below[i]].child; one != kNone; one = nodes_[one].next)
      below.push_back(one);
  for (auto one = below.rbegin(); one != below.rend(); ++one) {
    if (nodes_[*one].object != 0) lost(nodes_[*one].object, *one);
    if (*one == node) break;
    detach(*one);
    free(*one);
  }
}

void NameTree::remove(Node node, const std::function<void(std::uint32_t object, Node node)>& lost) {
  clear(node, lost);
  const Node parent = nodes_[node].parent;
  detach(node);
  free(node);
  prune(parent);
}

void NameTree::prune(Node node) {
  while (node != kNone && node != kRoot && node != kUnknown) {
    const Entry& entry = nodes_[node];
    if (entry.object != 0 || entry.child != kNone || entry.link || entry.asked) return;
    const Node parent = entry.parent;
    detach(node);
    free(node);
    node = parent;
  }
}

}  // namespace umaskaudit
