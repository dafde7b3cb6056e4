// Walks, moves and removals. See name_tree.h.
#include "reporter/objects/name_tree.h"

#include <algorithm>

namespace umaskaudit {
namespace {

// Takes the first component off `rest`; empty where there is none.
std::string_view next_component(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  const std::string_view component = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return component;
}

bool is_last(std::string_view rest) { return rest.find_first_not_of('/') == rest.npos; }

}  // namespace

NameTree::NameTree(Links links) : links_(std::move(links)), nodes_(3) {
  nodes_[kRoot].used = nodes_[kUnknown].used = true;
}

std::uint32_t NameTree::intern(std::string_view name) {
  const auto known = name_ids_.find(name);
  if (known != name_ids_.end()) return known->second;
  names_.emplace_back(name);
  const auto id = static_cast<std::uint32_t>(names_.size() - 1);
  name_ids_.emplace(names_.back(), id);
  return id;
}

NameTree::Node NameTree::child(Node parent, std::string_view name) const {
  const auto id = name_ids_.find(name);
  if (id == name_ids_.end()) return kNone;
  const auto found = children_.find(key(parent, id->second));
  return found == children_.end() ? kNone : found->second;
}

NameTree::Node NameTree::add(Node parent, std::string_view name) {
  Node node = kNone;
  if (free_.empty()) {
    node = static_cast<Node>(nodes_.size());
    nodes_.emplace_back();
  } else {
    node = free_.back();
    free_.pop_back();
  }
  nodes_[node] = Entry{};
  nodes_[node].used = true;
  nodes_[node].name = intern(name);
  attach(node, parent);
  return node;
}

void NameTree::attach(Node node, Node parent) {
  Entry& entry = nodes_[node];
  entry.parent = parent;
  entry.previous = kNone;
  entry.next = nodes_[parent].child;
  if (entry.next != kNone) nodes_[entry.next].previous = node;
  nodes_[parent].child = node;
  children_[key(parent, entry.name)] = node;
}

void NameTree::detach(Node node) {
  Entry& entry = nodes_[node];
  children_.erase(key(entry.parent, entry.name));
  if (entry.previous != kNone)
    nodes_[entry.previous].next = entry.next;
  else
    nodes_[entry.parent].child = entry.next;
  if (entry.next != kNone) nodes_[entry.next].previous = entry.previous;
}

void NameTree::free(Node node) {
  if (nodes_[node].link) targets_.erase(node);
  nodes_[node].used = false;
  free_.push_back(node);
}

void NameTree::set_link(Node node, std::string_view target) {
  nodes_[node].link = true;
  targets_[node] = target;
}

void NameTree::learn_link(Node node) {
  if (!links_) return;
  nodes_[node].asked = true;
  const std::string target = links_(path(node));
  if (!target.empty()) set_link(node, target);
}

// From `at`, which becomes the node that `path` leads to. `last`: the last component is the one
// that is asked for, so it is not followed.
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
  Node at = kUnknown;
  int links = 0;
  if (path.empty() || !walk(path, at, links, true)) return kNone;
  return at == kRoot || at == kUnknown ? kNone : at;
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
  int links = 0;
  const Node at = path.empty() ? kNone : walk_known(path, kUnknown, links, true);
  return at == kRoot || at == kUnknown ? kNone : at;
}

std::string NameTree::path(Node node) const {
  std::vector<std::uint32_t> names;
  Node at = node;
  for (; at != kRoot && at != kUnknown && at != kNone; at = nodes_[at].parent)
    names.push_back(nodes_[at].name);
  std::string out;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (at == kRoot || !out.empty()) out += '/';
    out += names_[*name];
  }
  return out;
}

void NameTree::move(Node node, Node to) {
  for (Node above = to; above != kNone; above = nodes_[above].parent)
    if (above == node) return;
  const Node parent = nodes_[to].parent;
  const std::uint32_t name = nodes_[to].name;
  const Node before = nodes_[node].parent;
  detach(to);
  free(to);
  detach(node);
  nodes_[node].name = name;
  attach(node, parent);
  prune(before);
}

void NameTree::clear(Node node, const std::function<void(std::uint32_t object, Node node)>& lost) {
  // Depth does not grow the stack: a trace may hold any number of components.
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
  Entry& entry = nodes_[node];
  entry.object = 0;
  entry.asked = true;  // whatever stands there from now on, the run has made it
  if (entry.link) targets_.erase(node);
  entry.link = false;
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
