// The tables that look-ups go through, against std::map under the same random changes.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "reporter/base/flat_map.h"
#include "reporter/objects/flat_index.h"
#include "reporter/objects/name_tree.h"

namespace umaskaudit::testing {
namespace {

// Many keys share a place, and wrap around the end of the table.
struct PoorHash {
  std::uint64_t operator()(std::uint64_t key) const { return key / 16; }
};

TEST(FlatMap, HoldsWhatAMapHolds) {
  FlatMap<std::uint64_t, int, PoorHash> flat;
  std::map<std::uint64_t, int> expected;
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t key = 1 + random() % 300;
    if (random() % 2 == 0) {
      flat[key] = expected[key] = i;
    } else {
      flat.erase(key);
      expected.erase(key);
    }
    ASSERT_EQ(flat.size(), expected.size());
    const std::uint64_t asked = 1 + random() % 300;
    const auto known = expected.find(asked);
    const int* found = flat.find(asked);
    ASSERT_EQ(found != nullptr, known != expected.end()) << asked;
    if (found != nullptr) {
      ASSERT_EQ(*found, known->second);
    }
  }
}

TEST(FlatIndex, FindsWhatAMapFinds) {
  FlatIndex index;
  std::vector<std::uint64_t> keys(301);  // by the entry's number; 0: it is not in the index
  std::map<std::uint64_t, std::uint32_t> expected;
  const auto hash = [](std::uint64_t key) {
    return 0xFFFFFF00U | static_cast<std::uint32_t>(key / 64);
  };
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    const auto entry = static_cast<std::uint32_t>(1 + random() % 300);
    if (keys[entry] == 0) {
      const std::uint64_t key = 1 + random() % 1000;
      if (expected.contains(key)) continue;
      keys[entry] = key;
      expected[key] = entry;
      index.insert(entry, hash(key));
    } else {
      index.erase(entry, hash(keys[entry]));
      expected.erase(keys[entry]);
      keys[entry] = 0;
    }
    ASSERT_EQ(index.size(), expected.size());
    const std::uint64_t asked = 1 + random() % 1000;
    const auto known = expected.find(asked);
    const std::uint32_t found =
        index.find(hash(asked), [&](std::uint32_t one) { return keys[one] == asked; });
    ASSERT_EQ(found, known == expected.end() ? 0 : known->second) << asked;
  }
}

TEST(NameTree, KeepsNamesOfAnyLength) {
  NameTree tree;
  std::map<std::string, NameTree::Node> nodes;
  std::string directory;
  for (const std::size_t length : {1, 27, 28, 29, 200, 255}) {
    directory += '/' + std::string(length, 'd');
    const std::string path = directory + "/" + std::string(length, 'n');
    nodes[path] = tree.make(path);
    tree.set_object(nodes[path], static_cast<std::uint32_t>(length));
  }
  for (const auto& [path, node] : nodes) {
    EXPECT_EQ(tree.find(path), node);
    EXPECT_EQ(tree.path(node), path);
  }
  EXPECT_EQ(tree.path(tree.make("relative/" + std::string(40, 'r'))),
            "relative/" + std::string(40, 'r'));
  // Long names and short ones change places.
  const std::string longer = nodes.rbegin()->first;
  const std::string shorter = nodes.begin()->first;
  const NameTree::Node one = nodes.at(longer);
  const NameTree::Node other = nodes.at(shorter);
  tree.exchange(one, other);
  EXPECT_EQ(tree.path(one), shorter);
  EXPECT_EQ(tree.path(other), longer);
  EXPECT_EQ(tree.find(shorter), one);
  tree.move(one, tree.make("/" + std::string(100, 'm')));
  EXPECT_EQ(tree.path(one), "/" + std::string(100, 'm'));
}

}  // namespace
}  // namespace umaskaudit::testing
