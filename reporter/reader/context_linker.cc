// A pid identifies a process only together with its PID name space and a time: earlier events of
// the same pid are another process's. The links follow the kernel's rules (execve(2), fork(2),
// clone(2)): exec keeps the fs context; fork copies it; vfork and clone without CLONE_FS copy it
// too, but into a task that still shares its parent's memory, so its records are in the parent's
// segment.
#include "reporter/reader/context_linker.h"

#include <algorithm>
#include <set>

namespace umaskaudit::reader {
namespace {

// A posix_spawn(3) record has the time before the call, so that it comes before the new image; all
// others have the child's time, or a later one.
constexpr std::uint64_t kSpawnTakes = 1000000000;

bool may_be_of(std::uint64_t time_ns, trace::Origin origin, std::uint64_t began_ns) {
  return time_ns + (origin == trace::Origin::vfork ? kSpawnTakes : 0) >= began_ns;
}

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
      if (fork.child != 0) {
        forks_.emplace(fork.child, ForkSeen{segment.get(), fork});
      } else {
        shells_[fork.pid].push_back({segment.get(), fork});
      }
    }
  }
  for (auto& [pid, starts] : shells_) {
    std::stable_sort(starts.begin(), starts.end(), [](const ForkSeen& a, const ForkSeen& b) {
      return a.fact.time_ns < b.fact.time_ns;
    });
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
  // Also contexts whose own record was lost: their mask changes need numbers too, even in a damaged
  // segment with a context 0.
  std::set<std::uint32_t> ids;
  for (const auto& [id, context] : segment->contexts.items()) ids.insert(id);
  for (const auto& [id, history] : segment->histories) ids.insert(id);
  const Image* image = segment->image();
  const bool drops = segment->dropped_changes();
  for (const std::uint32_t id : ids) {
    auto piece = std::make_unique<ContextPiece>();
    piece->segment = segment->index;
    piece->local = id;
    piece->drops = drops;
    const auto history = segment->histories.find(id);
    if (history != segment->histories.end()) piece->history = &history->second;
    link_local(piece.get(), *segment);
    if (piece->before == nullptr && image != nullptr && id == image->facts.context) {
      link_image(piece.get(), *image, segment->recorder());
    }
    if (piece->fs == 0 && id != 0) piece->fs = ++contexts_;
    index_[std::uint64_t{segment->index} << 32 | id] = piece.get();
    pieces_.push_back(std::move(piece));
  }
  add_leavings(*segment);
}

// The contexts that a later image of the same process may continue, best evidence last: one made
// for that process alone (a vfork child's), a forked child's, the one in which exec was called.
void ContextLinker::add_leavings(const Segment& segment) {
  for (const auto& [id, context] : segment.contexts.items()) {
    const bool own_process = context.origin == trace::Origin::vfork ||
                             context.origin == trace::Origin::fork ||
                             context.origin == trace::Origin::clone_fs;
    if (!own_process) continue;
    leavings_[context.owner].push_back(
        {context.born_ns, segment.pid_namespace_of(id), context.origin, find(segment, id), {}});
  }
  for (const ExecFact& exec : segment.execs) {
    if (exec.error != 0) continue;
    const LocalContext* context = segment.contexts.find(exec.context);
    leavings_[exec.pid].push_back({exec.time_ns, segment.pid_namespace_of(exec.context),
                                   context == nullptr ? trace::Origin::unknown : context->origin,
                                   find(segment, exec.context), start_of(segment, exec), true});
  }
  for (const Image& image : segment.images) {
    begun_[image.facts.pid].push_back({image.time_ns, image.began_ns(), image.facts.pid_namespace,
                                       &image == segment.image(),
                                       find(segment, image.facts.context)});
  }
}

// The record of a fork of that child, among those to `accept`, whose time is nearest. Null: none.
template <typename Accept>
const ContextLinker::ForkSeen* ContextLinker::nearest_fork(std::uint32_t child,
                                                           std::uint64_t time_ns,
                                                           Accept accept) const {
  const auto [begin, end] = forks_.equal_range(child);
  const ForkSeen* best = nullptr;
  const auto far = [&](const ForkSeen& seen) { return distance(seen.fact.time_ns, time_ns); };
  for (auto at = begin; at != end; ++at) {
    if (!accept(at->second)) continue;
    if (best == nullptr || far(at->second) < far(*best)) best = &at->second;
  }
  return best;
}

// The stack of an exec. A forked child of V8 has no heap (madvise(2), MADV_DONTFORK), so its stack
// has no frames of the script; that of the fork has them.
StackRef ContextLinker::start_of(const Segment& segment, const ExecFact& exec) const {
  const StackRef own{segment.index, exec.stack};
  if (segment.script_span(exec.stack) != nullptr) return own;
  const ForkSeen* best = nearest_fork(exec.pid, exec.time_ns, [&](const ForkSeen& fork) {
    return fork.segment == &segment && fork.fact.origin == trace::Origin::fork;
  });
  if (best == nullptr || segment.script_span(best->fact.stack) == nullptr) return own;
  return {segment.index, best->fact.stack};
}

// Links a context that began inside its segment's image: of a forked child, an unshared thread, or
// a task that shares the memory.
void ContextLinker::link_local(ContextPiece* piece, const Segment& segment) {
  const LocalContext* context = segment.contexts.find(piece->local);
  if (context == nullptr) return;
  piece->born_mask = context->mask;
  // Ids rise, so a parent was added before; a forged id is not found.
  const ContextPiece* parent = find(segment, context->parent);
  piece->born_ns = context->born_ns;
  if (parent == nullptr) return;
  copy_from(piece, parent, context->parent_change);
  if (context->origin == trace::Origin::clone_fs) {
    piece->shares = true;
    piece->fs = parent->fs;
  }
}

// Links the context that a program's threads start in.
void ContextLinker::link_image(ContextPiece* piece, const Image& image, trace::Recorder recorder) {
  const ContextPiece* same =
      recorder == trace::Recorder::tracer ? recorded_already(image) : nullptr;
  const Leaving* left = same == nullptr ? latest_leaving(image) : nullptr;
  if (same != nullptr) {
    piece->before = same;
    piece->shares = true;
    piece->fs = same->fs;
    piece->started = same->started;
    piece->born_ns = image.time_ns;
  } else if (left != nullptr) {
    continue_from(piece, left->piece);
    piece->started = left->stack;
  } else if (!copy_forked(piece, image)) {
    copy_from_parent(piece, image);
  }
}

// The latest program, or forked child, that had that pid before.
const ContextLinker::Begun* ContextLinker::latest_begun(const Image& image) const {
  const auto known = begun_.find(image.facts.pid);
  if (known == begun_.end()) return nullptr;
  const Begun* latest = nullptr;
  for (const Begun& begun : known->second) {
    if (begun.time_ns > image.time_ns || begun.time_ns < image.began_ns() ||
        !may_be_same_namespace(begun.pid_namespace, image.facts.pid_namespace)) {
      continue;
    }
    if (latest == nullptr || begun.time_ns >= latest->time_ns) latest = &begun;
  }
  return latest;
}

// A tracer may take over a process that the library records, in the middle of a program: then two
// segments have the same image and context. Null: an exec lies between them.
const ContextPiece* ContextLinker::recorded_already(const Image& image) const {
  const Begun* begun = latest_begun(image);
  if (begun == nullptr) return nullptr;
  if (const auto known = leavings_.find(image.facts.pid); known != leavings_.end()) {
    for (const Leaving& leaving : known->second) {
      if (leaving.exec && leaving.time_ns >= begun->time_ns && leaving.time_ns <= image.time_ns) {
        return nullptr;
      }
    }
  }
  return begun->piece;
}

// Process ids are reused: evidence from before this process began, or from before an earlier image
// with that pid, belongs to another process.
const ContextLinker::Leaving* ContextLinker::latest_leaving(const Image& image) const {
  const std::uint32_t pid_namespace = image.facts.pid_namespace;
  const auto known = leavings_.find(image.facts.pid);
  if (known == leavings_.end()) return nullptr;
  std::uint64_t since_ns = 0;
  if (const auto begun = begun_.find(image.facts.pid); begun != begun_.end()) {
    for (const Begun& earlier : begun->second) {
      if (!earlier.image || !may_be_same_namespace(earlier.pid_namespace, pid_namespace)) continue;
      since_ns = std::max(since_ns, earlier.time_ns);
    }
  }
  const Leaving* latest = nullptr;
  for (const Leaving& leaving : known->second) {
    if (leaving.piece == nullptr || leaving.time_ns < since_ns || leaving.time_ns > image.time_ns ||
        !may_be_of(leaving.time_ns, leaving.origin, image.began_ns()) ||
        !may_be_same_namespace(leaving.pid_namespace, pid_namespace)) {
      continue;
    }
    if (latest == nullptr || leaving.time_ns >= latest->time_ns) latest = &leaving;
  }
  return latest;
}

// A child of posix_spawn(3) runs none of our code before its exec: the parent's record of the fork
// links it. Not a record for an earlier process with that pid, nor one of a fork(2), whose child
// would have a record of its own.
bool ContextLinker::copy_forked(ContextPiece* piece, const Image& image) const {
  const std::uint64_t began_ns = image.began_ns();
  const std::uint64_t near_ns = began_ns == 0 ? image.time_ns : began_ns;
  const std::uint32_t pid_namespace = image.facts.pid_namespace;
  std::uint64_t since_ns = 0;
  if (const auto begun = begun_.find(image.facts.pid); begun != begun_.end()) {
    for (const Begun& other : begun->second) {
      if (pid_namespace == 0 || other.pid_namespace != pid_namespace) continue;
      if (other.image) since_ns = std::max(since_ns, other.time_ns);
    }
  }
  const ForkSeen* best = nearest_fork(image.facts.pid, near_ns, [&](const ForkSeen& fork) {
    const bool recorded = pid_namespace != 0 && fork.fact.origin == trace::Origin::fork;
    return find(*fork.segment, fork.fact.context) != nullptr && fork.fact.time_ns >= since_ns &&
           !recorded && may_be_of(fork.fact.time_ns, fork.fact.origin, began_ns) &&
           may_be_same_namespace(fork.segment->pid_namespace_of(fork.fact.context), pid_namespace);
  });
  if (best == nullptr) return false;
  copy_from(piece, find(*best->segment, best->fact.context), best->fact.change);
  piece->started = {best->segment->index, best->fact.stack};
  return true;
}

// A child of system(3), popen(3) or wordexp(3): libc's own fork, without a record. Its parent is
// known only by its pid, and is accepted if one of its masks was the child's initial mask.
void ContextLinker::copy_from_parent(ContextPiece* piece, const Image& image) {
  const auto known = begun_.find(image.facts.ppid);
  const bool mask_known = image.facts.mask_source != 0;
  if (image.facts.pid_namespace == 0 || !mask_known || known == begun_.end()) return;
  const Begun* parent = nullptr;
  for (const Begun& begun : known->second) {
    if (begun.pid_namespace != image.facts.pid_namespace || begun.time_ns > image.time_ns) continue;
    if (parent == nullptr || begun.time_ns >= parent->time_ns) parent = &begun;
  }
  if (parent == nullptr || parent->piece == nullptr || parent->piece == piece) return;
  std::uint64_t change = 0;
  bool found = parent->piece->born_mask == image.facts.mask;
  if (const MaskHistory* history = parent->piece->history; history != nullptr) {
    const std::vector<MaskChange>& changes = history->changes();
    for (std::size_t i = 0; i < changes.size() && changes[i].time_ns <= image.time_ns; ++i) {
      if (changes[i].mask == image.facts.mask) {
        change = changes[i].change;
        found = true;
      }
      if (parent->piece->drops && history->gap_behind(i)) {
        change = changes[i].change + 1;  // or another one that was dropped
        found = true;
      }
    }
  }
  if (!found) return;
  copy_from(piece, parent->piece, change);
  piece->started = shell_start(image);
}

// Where the program's parent called system(3) or popen(3) for it: the latest such call before it
// that has no child yet. None where a call of another thread, or a popen(3) before it, may as well
// be the one, unless all have the same stack; then none either for the children of those.
StackRef ContextLinker::shell_start(const Image& image) {
  constexpr int kLookedAt = 64;
  const auto known = shells_.find(image.facts.ppid);
  if (known == shells_.end()) return {};
  std::vector<ForkSeen>& starts = known->second;
  auto at = std::partition_point(starts.begin(), starts.end(), [&](const ForkSeen& start) {
    return start.fact.time_ns <= image.time_ns;
  });
  ForkSeen* latest = nullptr;
  for (int i = 0; i < kLookedAt && at != starts.begin(); ++i) {
    ForkSeen& start = *--at;
    if (start.used || !may_be_same_namespace(start.segment->pid_namespace_of(start.fact.context),
                                             image.facts.pid_namespace)) {
      continue;
    }
    if (latest == nullptr) {
      latest = &start;
      continue;
    }
    const bool over =
        start.fact.tid == latest->fact.tid && start.fact.origin == trace::Origin::vfork;
    const bool same = start.segment == latest->segment && start.fact.stack == latest->fact.stack;
    if (!over && !same) start.unsure = latest->unsure = true;
  }
  if (latest == nullptr) return {};
  latest->used = true;
  return latest->unsure ? StackRef{} : StackRef{latest->segment->index, latest->fact.stack};
}

}  // namespace umaskaudit::reader
