// An index over entries that the caller keeps in an array: the chains run through the entries
// themselves. A look-up touches a bucket and the entries that share it, nothing is allocated for an
// entry, and a key is hashed once, when it is inserted. std::unordered_map allocates a node for
// each entry, and of keys like these it hashes all that share a bucket at each look-up.
// Must never see an entry's key change while the entry is in it. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace umaskaudit {

// What an entry keeps for an index that it is in.
struct ChainLink {
  std::uint32_t next = 0;  // the next entry of the chain; 0: none
  std::uint32_t hash = 0;
};

class ChainIndex {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // An entry's number in the array; 0 is none.
  using Number = std::uint32_t;

  // `link_of(number)` returns a reference to the entry's link, `same(number)` whether it has the
  // key that is looked for. 0: there is none.
  template <typename LinkOf, typename Same>
  Number find(std::uint32_t hash, LinkOf link_of, Same same) const {
    for (Number at = buckets_[bucket(hash)]; at != 0; at = link_of(at).next)
      if (link_of(at).hash == hash && same(at)) return at;
    return 0;
  }

  // The key must not be in it.
  template <typename LinkOf>
  void insert(Number entry, std::uint32_t hash, LinkOf link_of) {
    if (size_ == buckets_.size()) grow(link_of);
    ++size_;
    put(entry, hash, link_of);
  }

  // Does nothing where the entry is not in it.
  template <typename LinkOf>
  void erase(Number entry, LinkOf link_of) {
    Number* at = &buckets_[bucket(link_of(entry).hash)];
    while (*at != 0 && *at != entry) at = &link_of(*at).next;
    if (*at == 0) return;
    *at = link_of(entry).next;
    link_of(entry) = {};
    --size_;
  }

 private:
  std::size_t bucket(std::uint32_t hash) const { return hash & (buckets_.size() - 1); }

  template <typename LinkOf>
  void put(Number entry, std::uint32_t hash, LinkOf link_of) {
    Number& first = buckets_[bucket(hash)];
    link_of(entry) = {first, hash};
    first = entry;
  }

  template <typename LinkOf>
  void grow(LinkOf link_of) {
    const std::vector<Number> before = std::move(buckets_);
    buckets_.assign(before.size() * 2, 0);
    for (Number at : before) {
      while (at != 0) {
        const ChainLink link = link_of(at);
        put(at, link.hash, link_of);
        at = link.next;
      }
    }
  }

  std::vector<Number> buckets_ = std::vector<Number>(64);  // a power of two
  std::size_t size_ = 0;
};

// The upper half of a product that mixes all bits of `key` into it.
inline std::uint32_t mixed(std::uint64_t key) {
  return static_cast<std::uint32_t>((key * 0x9E3779B97F4A7C15U) >> 32);
}

}  // namespace umaskaudit
