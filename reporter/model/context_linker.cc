// See context_linker.h. The facts, from the kernel's rules (execve(2), fork(2), clone(2)):
// exec keeps the fs context, fork copies it, vfork and clone without CLONE_FS copy it too but into
// a task that still borrows its maker's memory, so that its records lie in its maker's segment.
#include "reporter/model/context_linker.h"

#include <set>

namespace umaskaudit::model {
namespace {

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

void copy_from(ContextPiece* piece, const ContextPiece* parent, std::uint64_t change) {
  piece->before = parent;
  piece->before_change = change;
}

void continue_from(ContextPiece* piece, const ContextPiece* earlier) {
  piece->before = earlier;
  piece->continues = true;
  piece->fs = earlier->fs;
}

}  // namespace

ContextLinker::ContextLinker(const ContextTree::Segments& segments) : segments_(segments) {
  for (const auto& segment : segments) {
    for (const ForkFact& fork : segment->forks) {
      forks_.emplace(fork.child, ForkSeen{segment.get(), fork});
    }
  }
}

ContextLinker::Pieces ContextLinker::link(const std::vector<std::uint32_t>& order) {
  for (const std::uint32_t number : order) add_segment(segments_[number].get());
  return std::move(pieces_);
}

ContextPiece* ContextLinker::find(const Segment& segment, std::uint32_t local) const {
  const auto found = index_.find(std::uint64_t{segment.index} << 32 | local);
  return found == index_.end() ? nullptr : found->second;
}

void ContextLinker::add_segment(Segment* segment) {
  // Also contexts whose own record was lost: their mask changes are still theirs, and need numbers,
  // even if it was a damaged writer that named context 0.
  std::set<std::uint32_t> ids;
  for (const auto& [id, context] : segment->contexts.items()) ids.insert(id);
  for (const auto& [id, history] : segment->histories) ids.insert(id);
  const Image* image = segment->image();
  for (const std::uint32_t id : ids) {
    auto piece = std::make_unique<ContextPiece>();
    piece->segment = segment->index;
    piece->local = id;
    const auto history = segment->histories.find(id);
    if (history != segment->histories.end()) piece->history = &history->second;
    link_local(piece.get(), *segment);
    if (piece->before == nullptr && image != nullptr && id == image->facts.context) {
      link_image(piece.get(), *image);
    }
    if (piece->fs == 0 && id != 0) piece->fs = ++contexts_;
    index_[std::uint64_t{segment->index} << 32 | id] = piece.get();
    pieces_.push_back(std::move(piece));
  }
  add_leavings(*segment);
}

// The contexts that a later image of the same process may continue, best evidence last: a context
// made for that process alone (a vfork child's), a forked child's, the one an exec was called in.
void ContextLinker::add_leavings(const Segment& segment) {
  for (const auto& [id, context] : segment.contexts.items()) {
    const bool own_process = context.origin == trace::Origin::vfork ||
                             context.origin == trace::Origin::fork ||
                             context.origin == trace::Origin::clone_fs;
    if (own_process) leavings_[context.owner].push_back({context.born_ns, find(segment, id)});
  }
  for (const ExecFact& exec : segment.execs) {
    if (exec.error != 0) continue;
    leavings_[exec.pid].push_back({exec.time_ns, find(segment, exec.context)});
  }
  if (const Image* image = segment.image(); image != nullptr) {
    latest_image_ns_[image->facts.pid] = image->time_ns;
  }
}

// A context that began inside its segment's image: a forked child's, an unshared thread's, that of
// a task which borrows the memory.
void ContextLinker::link_local(ContextPiece* piece, const Segment& segment) {
  const LocalContext* context = segment.contexts.find(piece->local);
  if (context == nullptr) return;
  piece->born_mask = context->mask;
  // Ids rise, so a parent was added before; a forged one that was not is not found.
  const ContextPiece* parent = find(segment, context->parent);
  piece->born_ns = context->born_ns;
  if (parent == nullptr) return;
  copy_from(piece, parent, context->parent_change);
  if (context->origin == trace::Origin::clone_fs) {
    piece->shares = true;
    piece->fs = parent->fs;
  }
}

// The context that a program's threads start in.
void ContextLinker::link_image(ContextPiece* piece, const Image& image) {
  const Leaving* left = latest_leaving(image.facts.pid, image.time_ns);
  if (left != nullptr) {
    continue_from(piece, left->piece);
  } else {
    copy_forked(piece, image);
  }
}

// Process ids are used again: what was left before an earlier image of that pid is that image's.
const ContextLinker::Leaving* ContextLinker::latest_leaving(std::uint32_t pid,
                                                            std::uint64_t before_ns) const {
  const auto known = leavings_.find(pid);
  if (known == leavings_.end()) return nullptr;
  const auto image = latest_image_ns_.find(pid);
  const std::uint64_t since_ns = image == latest_image_ns_.end() ? 0 : image->second;
  const Leaving* latest = nullptr;
  for (const Leaving& leaving : known->second) {
    if (leaving.piece == nullptr || leaving.time_ns < since_ns || leaving.time_ns > before_ns) {
      continue;
    }
    if (latest == nullptr || leaving.time_ns >= latest->time_ns) latest = &leaving;
  }
  return latest;
}

// A child of posix_spawn(3) runs none of our code before its exec: its maker's own record of the
// fork tells where it came from.
void ContextLinker::copy_forked(ContextPiece* piece, const Image& image) const {
  const auto [begin, end] = forks_.equal_range(image.facts.pid);
  const ForkSeen* best = nullptr;
  const auto far = [&](const ForkSeen& seen) { return distance(seen.fact.time_ns, image.time_ns); };
  for (auto at = begin; at != end; ++at) {
    const ForkSeen& fork = at->second;
    if (find(*fork.segment, fork.fact.context) == nullptr) continue;
    if (best == nullptr || far(fork) < far(*best)) best = &fork;
  }
  if (best == nullptr) return;
  copy_from(piece, find(*best->segment, best->fact.context), best->fact.change);
}

}  // namespace umaskaudit::model
