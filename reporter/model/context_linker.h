// Draws the links between the fs contexts of all segments, from what images, forks and execs said.
// Must never link to a context that comes later: damaged or forged ids cannot make a loop.
// Called once by ContextTree::build.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "reporter/model/context_tree.h"
#include "reporter/model/segment.h"

namespace umaskaudit::model {

class ContextLinker {
 public:
  using Pieces = std::vector<std::unique_ptr<ContextPiece>>;

  explicit ContextLinker(const ContextTree::Segments& segments);

  // All pieces, linked, parents first. `order`: segment numbers, oldest image first.
  Pieces link(const std::vector<std::uint32_t>& order);

 private:
  struct ForkSeen {
    const Segment* segment = nullptr;
    ForkFact fact;
  };
  // What a process left behind when its next image began.
  struct Leaving {
    std::uint64_t time_ns = 0;
    ContextPiece* piece = nullptr;
  };

  void add_segment(Segment* segment);
  void add_leavings(const Segment& segment);
  ContextPiece* find(const Segment& segment, std::uint32_t local) const;
  void link_local(ContextPiece* piece, const Segment& segment);
  void link_image(ContextPiece* piece, const Image& image);
  const Leaving* latest_leaving(std::uint32_t pid, std::uint64_t before_ns) const;
  void copy_forked(ContextPiece* piece, const Image& image) const;

  const ContextTree::Segments& segments_;
  Pieces pieces_;
  std::uint32_t contexts_ = 0;  // run-wide ids given out
  std::unordered_map<std::uint64_t, ContextPiece*> index_;
  // Of the segments added so far, by pid.
  std::unordered_map<std::uint32_t, std::vector<Leaving>> leavings_;
  std::unordered_map<std::uint32_t, std::uint64_t> latest_image_ns_;
  std::unordered_multimap<std::uint32_t, ForkSeen> forks_;
};

}  // namespace umaskaudit::model
