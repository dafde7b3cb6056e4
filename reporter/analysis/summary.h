// Summary: a run in numbers, computed in one pass.
// Must never grow with the number of events: it is bounded by threads, stacks, masks and `limit`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/analysis/filter.h"
#include "reporter/objects/object_lives.h"
#include "reporter/objects/refusal.h"
#include "reporter/reader/run.h"

namespace umaskaudit::analysis {

struct ThreadId {
  std::uint32_t pid = 0, tid = 0;
  auto operator<=>(const ThreadId&) const = default;
};

// Mask changes that one thread made from one stack.
struct MaskChanges {
  ThreadId who;
  std::string thread;  // its latest name
  std::string call;
  std::uint32_t fs = 0;
  StackRef stack;
  std::uint64_t count = 0;
  std::uint64_t drifts = 0;
  std::map<std::pair<Mode, Mode>, std::uint64_t> transitions;  // old, new -> how often
  std::uint64_t first_ns = 0, last_ns = 0;
  // How long the masks that it set stayed in force, until the next change in the same context.
  std::uint64_t held_ns = 0, longest_ns = 0;
  // Both are lower bounds: the context's mask was not changed again, and a process may have gone on
  // after its last recorded event.
  bool end_unseen = false;
};

struct BlindSpots {
  trace::Blind reason = trace::Blind::other;
  std::string text;
  std::uint64_t count = 0;
};

// A failed creating call, and the directory that explains the failure, if any.
struct FailedCreation {
  CreateEvent event;  // the first one of that path and error
  std::optional<Refusal> refusal;
  std::uint64_t count = 1;
};

// Objects of one directory that were created in the same way and have the same mode at the end.
struct ObjectGroup {
  std::string directory;  // raw bytes; empty: all directories beyond the limit
  trace::Kind kind = trace::Kind::unknown;
  std::string call;
  std::optional<Mode> mode;  // nothing: not known
  bool there = true;         // at the end
  std::uint64_t count = 0;
};

enum class SortKey { time, path, mode, mask, thread, call, kind };

struct SummaryOptions {
  Filter filter;
  SortKey sort = SortKey::time;
  std::size_t limit = 0;    // objects kept; 0: all of them
  NameTree::Links links{};  // see ObjectLives
  bool groups = false;      // Summary::groups
  bool objects = true;  // false: only counts, and what the caller passes for the lives of objects
};

struct Summary {
  std::uint64_t events = 0;
  std::uint64_t processes = 0;  // images: an exec begins another one
  std::uint64_t pids = 0;
  std::uint64_t threads = 0;
  std::uint64_t mask_changes = 0;
  std::uint64_t created = 0;   // certain or probable
  std::uint64_t unsure = 0;    // may have been created
  std::uint64_t existing = 0;  // calls that opened an existing object
  std::uint64_t failed = 0;
  // The failed calls that programs do not expect (not: a name that exists, a directory that is
  // missing): the first kMostFailed paths.
  std::vector<FailedCreation> refused;
  std::uint64_t refused_count = 0;
  std::uint64_t ambiguous = 0;      // the mask changed during the call
  std::uint64_t unknown_masks = 0;  // of the objects: ObjectLife::ambiguous
  std::uint64_t chmods = 0;
  std::map<trace::Kind, std::uint64_t> kinds;  // of what was created
  std::vector<MaskChanges> changes;            // by first change
  std::vector<ObjectLife> objects;             // created or unsure, sorted, at most `limit`
  // Objects that exist at the end and that others may write to, or that are programs with
  // set-user-ID or set-group-ID: the widest first, at most kMostOpen.
  std::vector<ObjectLife> open;
  std::uint64_t open_count = 0;
  std::uint64_t gone = 0;           // of the objects: removed or replaced before the end
  std::uint64_t named_anew = 0;     // existing objects with another name than at birth
  std::uint64_t mode_anew = 0;      // existing objects with another mode than at birth
  std::vector<ObjectGroup> groups;  // of what was created or unsure, in no order
  std::vector<BlindSpots> blind_spots;
  std::vector<std::string> notes;
};

// Summarizer: call see() with the events of a run, in order.
class Summarizer {
 public:
  // `options` must outlive it.
  explicit Summarizer(const SummaryOptions& options);
  ~Summarizer();
  Summarizer(const Summarizer&) = delete;
  Summarizer& operator=(const Summarizer&) = delete;

  void see(const Event& event);
  // With SummaryOptions::objects == false, for a caller that follows objects itself: each object
  // that ends, and before finish() those that exist at the end.
  void object_ends(const ObjectLife& life);
  void objects_at_end(const ObjectLives& lives);
  // The same for each creation that failed, after see().
  void creation_fails(const CreateEvent& event, const ObjectLives& lives);
  // `end_ns`: Run::end_ns(). Call once.
  Summary finish(std::uint64_t end_ns);

 private:
  class Builder;
  Summary summary_;
  std::unique_ptr<Builder> builder_;
};

Summary summarize(const reader::Run& run, const SummaryOptions& options);

}  // namespace umaskaudit::analysis
