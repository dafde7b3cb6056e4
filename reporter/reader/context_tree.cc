// Numbers the umask events in merged order, and finds the event behind each context's initial mask.
// context_linker.cc makes the links between contexts.
#include "reporter/reader/context_tree.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "reporter/reader/context_linker.h"

namespace umaskaudit::reader {
namespace {

// The changes of one history that have no id yet.
struct ChangeCursor {
  MaskHistory* history;
  std::size_t next;
  std::size_t piece;

  MaskChange& change() const { return history->changes()[next]; }
  bool done() const { return next == history->changes().size(); }
};

bool later(const ChangeCursor& a, const ChangeCursor& b) {
  return std::tie(a.change().time_ns, a.piece) > std::tie(b.change().time_ns, b.piece);
}

}  // namespace

std::optional<std::uint64_t> ContextPiece::set_by(std::uint64_t number) const {
  std::uint64_t id = inherited_from;
  if (number != 0) {
    const auto change = history == nullptr ? std::nullopt : history->find(number);
    id = change ? change->id : 0;
    if (const auto elsewhere = found.find(number); elsewhere != found.end()) id = elsewhere->second;
  }
  if (id == 0) return std::nullopt;
  return id;
}

bool ContextPiece::setter_dropped(std::uint64_t number) const {
  if (number == 0) return inherited_from_dropped;
  return drops && found.count(number) == 0 && (history == nullptr || !history->find(number));
}

std::optional<std::uint64_t> ContextPiece::found_mask(std::uint64_t number) const {
  for (const auto* known : {&found, &overwritten}) {
    if (const auto setter = known->find(number); setter != known->end()) return setter->second;
  }
  return std::nullopt;
}

std::optional<Mode> ContextPiece::mask_after(std::uint64_t number) const {
  if (number == 0) return born_mask;
  const auto change = history == nullptr ? std::nullopt : history->find(number);
  if (!change) return std::nullopt;
  return change->mask;
}

void ContextTree::link(const Segments& segments) {
  order_.clear();
  image_starts_.clear();
  for (const auto& segment : segments) {
    order_.push_back(segment->index);
    const Image* image = segment->image();
    if (image == nullptr) continue;
    image_starts_[image->facts.pid].push_back(
        {image->facts.pid_namespace, image->time_ns, segment->recorder()});
  }
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Segment& left = *segments[a];
    const Segment& right = *segments[b];
    return std::make_tuple(left.start_ns(), left.stamp, a) <
           std::make_tuple(right.start_ns(), right.stamp, b);
  });
  pieces_ = ContextLinker(segments).link(order_);
  index_.clear();
  shared_.clear();
  for (const auto& piece : pieces_) index_[key(piece->segment, piece->local)] = piece.get();
}

void ContextTree::build(const Segments& segments, bool images_dropped) {
  images_dropped_ = images_dropped;
  link(segments);
  number_events();
  attribute_drifts(segments);
  resolve_births();
}

bool ContextTree::relink(const Segments& segments) {
  link(segments);
  for (const auto& piece : pieces_) {  // parents first
    Resolved& known = resolved_[key(piece->segment, piece->local)];
    const bool due = piece->local <= segments[piece->segment]->contexts_through;
    if (known.fs == 0 && piece->local != 0 && due) {
      const bool same = piece->continues || piece->shares;
      if (same && piece->before->fs == 0) {  // a later exec was seen already
        resolved_[key(piece->before->segment, piece->before->local)].fs = ++last_fs_;
        known.fs = last_fs_;
      } else {
        known.fs = same ? piece->before->fs : ++last_fs_;
      }
    }
    piece->fs = known.fs;
  }
  attribute_drifts(segments);
  bool complete = true;
  for (const auto& piece : pieces_) {
    Resolved& known = resolved_[key(piece->segment, piece->local)];
    if (!known.resolved) {
      const ContextPiece* before = piece->before;
      known.resolved = before == nullptr || piece->continues || piece->before_change == 0 ||
                       (before->history != nullptr &&
                        before->history->holds(piece->before_change - 1, piece->before_change));
      const Setter birth = birth_of(*piece);
      known.inherited_from = birth.id;
      known.inherited_from_dropped = birth.dropped;
      complete = complete && known.resolved;
    }
    piece->inherited_from = known.inherited_from;
    piece->inherited_from_dropped = known.inherited_from_dropped;
  }
  return complete;
}

StackRef ContextTree::started(const Segment& segment) const {
  const Image* image = segment.image();
  const ContextPiece* piece =
      image == nullptr ? nullptr : find(segment.index, image->facts.context);
  return piece == nullptr ? StackRef{} : piece->started;
}

const ContextPiece* ContextTree::find(std::uint32_t segment, std::uint32_t local) const {
  const auto found = index_.find(key(segment, local));
  return found == index_.end() ? nullptr : found->second;
}

bool ContextTree::image_after(const Segment& segment, const ExecFact& exec) const {
  const auto found = image_starts_.find(exec.pid);
  if (found == image_starts_.end()) return false;
  const std::uint32_t pid_namespace = segment.pid_namespace_of(exec.context);
  return std::any_of(found->second.begin(), found->second.end(), [&](const ImageStart& start) {
    return start.time_ns >= exec.time_ns &&
           may_be_same_namespace(start.pid_namespace, pid_namespace);
  });
}

bool ContextTree::traced_after(const Segment& segment, std::uint32_t pid, std::uint32_t context,
                               std::uint64_t time_ns) const {
  const auto found = image_starts_.find(pid);
  if (found == image_starts_.end()) return false;
  const std::uint32_t pid_namespace = segment.pid_namespace_of(context);
  const ImageStart* next = nullptr;
  for (const ImageStart& start : found->second) {
    if (start.time_ns < time_ns || !may_be_same_namespace(start.pid_namespace, pid_namespace)) {
      continue;
    }
    if (next == nullptr || start.time_ns < next->time_ns) next = &start;
  }
  return next != nullptr && next->recorder == trace::Recorder::tracer;
}

void ContextTree::number_events() {
  std::priority_queue<ChangeCursor, std::vector<ChangeCursor>, decltype(&later)> runs(&later);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    MaskHistory* history = pieces_[i]->history;
    if (history == nullptr || history->changes().empty()) continue;
    runs.push({history, 0, i});
  }
  std::uint64_t id = 0;
  while (!runs.empty()) {
    ChangeCursor run = runs.top();
    runs.pop();
    // One history is often far ahead of the others: continue with it as long as it is the earliest.
    do {
      id += run.history->span(run.next);
      run.change().id = id;
      ++run.next;
    } while (!run.done() && (runs.empty() || !later(run, runs.top())));
    if (!run.done()) runs.push(run);
  }
}

// The latest change to `mask` by another process, not after `time_ns`; 0: none is known.
std::uint64_t ContextTree::setter_elsewhere(const ContextPiece& piece, Mode mask,
                                            std::uint64_t time_ns) const {
  const auto group = shared_.find(piece.fs);
  if (group == shared_.end()) return 0;
  const MaskChange* latest = nullptr;
  for (const ContextPiece* other : group->second) {
    if (other == &piece || other->history == nullptr) continue;
    const std::vector<MaskChange>& changes = other->history->changes();  // times increase
    auto at = std::partition_point(changes.begin(), changes.end(), [&](const MaskChange& change) {
      return change.time_ns <= time_ns;
    });
    while (at != changes.begin()) {
      const MaskChange& change = *--at;
      if (latest != nullptr && change.time_ns < latest->time_ns) break;
      if (change.mask != mask || other->found.count(change.change) != 0) continue;
      latest = &change;
      break;
    }
  }
  return latest == nullptr ? 0 : latest->id;
}

void ContextTree::attribute_drifts(const Segments& segments) {
  for (const auto& piece : pieces_) {
    if (piece->shares) shared_[piece->fs];
  }
  if (shared_.empty()) return;
  for (const auto& piece : pieces_) {
    if (const auto group = shared_.find(piece->fs); group != shared_.end()) {
      group->second.push_back(piece.get());
    }
  }
  for (const auto& segment : segments) {
    for (const DriftFact& drift : segment->drifts) {
      const auto known = index_.find(key(segment->index, drift.context));
      if (known == index_.end()) continue;
      ContextPiece& piece = *known->second;
      const std::uint64_t setter = setter_elsewhere(piece, drift.found, drift.time_ns);
      if (setter == 0) continue;
      // A creation that noticed the drift has changed nothing; a umask call has.
      auto& facts = segment->call(drift.call) == "umask" ? piece.overwritten : piece.found;
      facts[drift.change] = setter;
    }
  }
}

// The umask event behind a context's initial mask.
ContextTree::Setter ContextTree::birth_of(const ContextPiece& piece) const {
  if (piece.before == nullptr) return {0, images_dropped_};
  if (piece.shares && piece.born_mask) {  // the other process may have changed it since
    const std::uint64_t setter = setter_elsewhere(piece, *piece.born_mask, piece.born_ns);
    if (setter != 0) return {setter, false};
  }
  const ContextPiece& before = *piece.before;
  if (!piece.continues)
    return {before.set_by(piece.before_change).value_or(0),
            before.setter_dropped(piece.before_change)};
  // exec ends the image before it, so its last change is in force.
  const MaskHistory* history = before.history;
  const bool changed = history != nullptr && !history->changes().empty();
  if (before.drops && history != nullptr && history->highest() != 0 &&
      (!changed || history->gap_behind(history->changes().size() - 1)))
    return {0, true};
  if (changed) return {history->changes().back().id, false};
  return {before.inherited_from, before.inherited_from_dropped};
}

// Parents come first in pieces_, so one pass is enough however long a chain is.
void ContextTree::resolve_births() {
  for (const auto& piece : pieces_) {
    const Setter birth = birth_of(*piece);
    piece->inherited_from = birth.id;
    piece->inherited_from_dropped = birth.dropped;
  }
}

}  // namespace umaskaudit::reader
