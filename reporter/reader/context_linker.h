// ContextLinker: links the fs contexts of all segments, by the records of images, forks and execs.
// Must never link to a context that comes later: damaged or forged ids cannot make a loop.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "reporter/reader/context_tree.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

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
    // Of a call that starts a shell: its child was found; another call may be that child's.
    bool used = false, unsure = false;
  };
  // The evidence that a process left for its next image.
  struct Leaving {
    std::uint64_t time_ns = 0;
    std::uint32_t pid_namespace = 0;
    trace::Origin origin = trace::Origin::unknown;  // of the context
    ContextPiece* piece = nullptr;
    StackRef stack{};  // of the exec
    bool exec = false;
  };
  // A program, or a forked child, that has a pid from a certain time on.
  struct Begun {
    std::uint64_t time_ns = 0;
    std::uint64_t began_ns = 0;  // Image::began_ns()
    std::uint32_t pid_namespace = 0;
    bool image = false;
    ContextPiece* piece = nullptr;
  };

  void add_segment(Segment* segment);
  void add_leavings(const Segment& segment);
  ContextPiece* find(const Segment& segment, std::uint32_t local) const;
  void link_local(ContextPiece* piece, const Segment& segment);
  void link_image(ContextPiece* piece, const Image& image, trace::Recorder recorder);
  const Begun* latest_begun(const Image& image) const;
  const ContextPiece* recorded_already(const Image& image) const;
  const Leaving* latest_leaving(const Image& image) const;
  template <typename Accept>
  const ForkSeen* nearest_fork(std::uint32_t child, std::uint64_t time_ns, Accept accept) const;
  bool copy_forked(ContextPiece* piece, const Image& image) const;
  void copy_from_parent(ContextPiece* piece, const Image& image);
  StackRef shell_start(const Image& image);
  StackRef start_of(const Segment& segment, const ExecFact& exec) const;

  const ContextTree::Segments& segments_;
  Pieces pieces_;
  std::uint32_t contexts_ = 0;  // run-wide ids assigned so far
  std::unordered_map<std::uint64_t, ContextPiece*> index_;
  // For the segments added so far, by pid.
  std::unordered_map<std::uint32_t, std::vector<Leaving>> leavings_;
  std::unordered_map<std::uint32_t, std::vector<Begun>> begun_;
  std::unordered_multimap<std::uint32_t, ForkSeen> forks_;
  // Calls that start a shell, by the caller's pid, in order of time.
  std::unordered_map<std::uint32_t, std::vector<ForkSeen>> shells_;
};

}  // namespace umaskaudit::reader
