// Computes the summary in one pass; see summary.h.
// Must never keep more of an object that is gone than will be shown.
#include "reporter/analysis/summary.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <tuple>

#include "reporter/objects/open_objects.h"

namespace umaskaudit::analysis {
namespace {

constexpr std::size_t kMostNotes = 100;

constexpr std::size_t kMostOpen = 10;
constexpr std::size_t kMostFailed = 10;
constexpr std::size_t kMostGroups = 20000;

// Failures that programs expect: a name that exists already, a directory that is still to be
// created.
bool is_expected(std::int32_t error) {
  constexpr std::int32_t kExpected[] = {EEXIST, ENOENT, ENOTDIR, EISDIR, EINTR, EAGAIN, ENXIO};
  return std::find(std::begin(kExpected), std::end(kExpected), error) != std::end(kExpected);
}

using Before = bool (*)(const ObjectLife&, const ObjectLife&);

bool by_time(const ObjectLife& a, const ObjectLife& b) { return a.id < b.id; }
bool by_path(const ObjectLife& a, const ObjectLife& b) {
  return std::tie(a.last_path, a.id) < std::tie(b.last_path, b.id);
}
bool by_mode(const ObjectLife& a, const ObjectLife& b) {  // widest access first
  const auto open = [](Mode mode) { return std::pair(mode & 07, mode & 070); };
  return std::tuple(open(b.mode), a.id) < std::tuple(open(a.mode), b.id);
}
bool by_mask(const ObjectLife& a, const ObjectLife& b) {
  return std::tie(a.born_mask, a.id) < std::tie(b.born_mask, b.id);
}
bool by_thread(const ObjectLife& a, const ObjectLife& b) {
  return std::tie(a.born.pid, a.born.tid, a.id) < std::tie(b.born.pid, b.born.tid, b.id);
}
bool by_call(const ObjectLife& a, const ObjectLife& b) {
  return std::tie(a.born.call, a.id) < std::tie(b.born.call, b.id);
}
bool by_kind(const ObjectLife& a, const ObjectLife& b) {
  return std::tie(a.kind, a.id) < std::tie(b.kind, b.id);
}

Before order_of(SortKey key) {
  switch (key) {
    case SortKey::time:
      return by_time;
    case SortKey::path:
      return by_path;
    case SortKey::mode:
      return by_mode;
    case SortKey::mask:
      return by_mask;
    case SortKey::thread:
      return by_thread;
    case SortKey::call:
      return by_call;
    case SortKey::kind:
      return by_kind;
  }
  return by_time;
}

// Keeps the first `limit` items, in the order of `before`; 0: all.
void keep(std::vector<ObjectLife>& kept, const ObjectLife& life, std::size_t limit, Before before) {
  // The top of the heap is the last of the kept items: an item that precedes it replaces it.
  if (limit != 0 && kept.size() == limit) {
    if (!before(life, kept.front())) return;
    std::pop_heap(kept.begin(), kept.end(), before);
    kept.pop_back();
  }
  kept.push_back(life);
  if (limit != 0) std::push_heap(kept.begin(), kept.end(), before);
}

// The change in force in a context, which the next change there closes.
struct InForce {
  std::size_t group;
  std::uint64_t since_ns;
  std::uint64_t seen_ns;  // time of the last event of the context
  std::uint32_t pid;
};

}  // namespace

class Summarizer::Builder {
 public:
  Builder(const SummaryOptions& options, Summary& out)
      : options_(options), out_(out), before_(order_of(options.sort)), lives_(life_options()) {}

  void see(const Event& event) {
    const bool selected = options_.filter.selects(event);
    // Every change ends the one before it, whether selected or not.
    if (const auto* change = std::get_if<UmaskEvent>(&event)) end_change(*change);
    std::visit([this](const auto& one) { is_alive(one); }, event);
    selected_ = selected;
    if (options_.objects) lives_.see(event);
    if (!selected) return;
    out_.events += count_of(event);
    std::visit([this](const auto& one) { add(one); }, event);
  }

  void object_ends(const ObjectLife& life) {
    if (life.created == trace::Created::no) return;
    out_.unknown_masks += life.ambiguous ? 1 : 0;
    if (life.state != ObjectState::there) {
      ++out_.gone;
    } else {
      out_.named_anew += life.named_anew() ? 1 : 0;
      out_.mode_anew += life.mode != life.born_mode ? 1 : 0;
    }
    keep(out_.objects, life, options_.limit, before_);
    if (options_.groups) count_in_group(life);
  }

  void objects_at_end(const ObjectLives& lives) {
    OpenObjects open(lives);
    lives.for_each([&](const ObjectLife& life) {
      object_ends(life);
      if (life.created == trace::Created::no || !open.contains(life)) return;
      ++out_.open_count;
      keep(out_.open, life, kMostOpen, by_mode);
    });
    std::sort(out_.objects.begin(), out_.objects.end(), before_);
    std::sort(out_.open.begin(), out_.open.end(), by_mode);
  }

  void creation_fails(const CreateEvent& event, const ObjectLives& lives) {
    if (is_expected(event.error)) return;
    ++out_.refused_count;
    for (FailedCreation& known : out_.refused)
      if (known.event.error == event.error && known.event.path == event.path) {
        ++known.count;
        return;
      }
    if (out_.refused.size() < kMostFailed)
      out_.refused.push_back({event, refusal_of(event, lives)});
  }

  void finish(std::uint64_t end_ns) {
    for (const auto& [fs, open] : in_force_) {
      // The first process is CMD, and the run ends with it.
      const bool unseen = open.pid != first_pid_ && open.seen_ns < end_ns;
      close(open, unseen ? open.seen_ns : end_ns);
      if (unseen) out_.changes[open.group].end_unseen = true;
    }
    if (options_.objects) objects_at_end(lives_);
    out_.threads = threads_.size();
    std::uint32_t pid = 0;
    for (const ThreadId& thread : threads_) {  // in order
      out_.pids += thread.pid == pid ? 0 : 1;
      pid = thread.pid;
    }
    for (auto& [key, count] : blind_) out_.blind_spots.push_back({key.first, key.second, count});
  }

 private:
  void add(const ProcessEvent& event) {
    ++out_.processes;
    seen(event);
  }
  void add(const UmaskEvent& event) {
    seen(event);
    out_.mask_changes += event.folded.count;
    const auto key = std::tuple(event.pid, event.tid, event.stack.segment, event.stack.id);
    const auto [found, fresh] = groups_.try_emplace(key, out_.changes.size());
    if (fresh) out_.changes.emplace_back();
    MaskChanges& group = out_.changes[found->second];
    if (fresh) {
      group.who = {event.pid, event.tid};
      group.call = event.call;
      group.fs = event.fs;
      group.stack = event.stack;
      group.first_ns = event.time_ns;
    }
    group.thread = event.thread;
    group.last_ns = event.time_ns;
    group.count += event.folded.count;
    group.drifts += event.drift ? 1 : 0;
    group.transitions[{event.old_mask, event.new_mask}] += event.folded.count;
    in_force_[event.fs] = {found->second, event.time_ns, event.time_ns, event.pid};
  }
  void add(const CreateEvent& event) {
    seen(event);
    if (event.error != 0) {
      ++out_.failed;
      if (options_.objects) creation_fails(event, lives_);
      return;
    }
    if (!event.ambiguous_masks.empty()) ++out_.ambiguous;
    switch (event.created) {
      case trace::Created::no:
        out_.existing += event.count;
        return;
      case trace::Created::yes:
      case trace::Created::probably:
        ++out_.created;
        ++out_.kinds[event.kind];
        break;
      case trace::Created::unknown:
        ++out_.unsure;
        break;
    }
  }
  void add(const ChmodEvent& event) {
    seen(event);
    out_.chmods += event.error == 0 ? 1 : 0;
  }
  void add(const BlindSpotEvent& event) { ++blind_[{event.reason, event.text}]; }
  void add(const NoteEvent& event) {
    if (out_.notes.size() < kMostNotes) out_.notes.emplace_back(event.text);
  }
  void add(const EventBase& event) { seen(event); }

  void seen(const EventBase& event) {
    if (event.pid == 0) return;
    // Few events are the first of their thread.
    ThreadId& lately = lately_[(event.pid * 0x9E3779B1u + event.tid * 0x85EBCA6Bu) >> 24];
    const ThreadId thread{event.pid, event.tid};
    if (thread == lately) return;
    lately = thread;
    threads_.insert(thread);
  }

  // Most objects are in the same directory as the previous one.
  void count_in_group(const ObjectLife& life) {
    const std::string_view path = life.last_path;
    const std::size_t slash = path.rfind('/');
    const bool root = slash == 0;
    const std::string_view directory =
        slash == std::string_view::npos ? "." : path.substr(0, root ? 1 : slash);
    const std::optional<Mode> mode =
        life.mode_known ? std::optional(life.mode) : std::optional<Mode>();
    const bool there = life.state == ObjectState::there;
    const auto is_of = [&](const ObjectGroup& group) {
      return group.directory == directory && group.kind == life.kind && group.mode == mode &&
             group.there == there && group.call == life.born.call;
    };
    if (last_group_ < out_.groups.size() && is_of(out_.groups[last_group_])) {
      ++out_.groups[last_group_].count;
      return;
    }
    const bool full = out_.groups.size() >= kMostGroups;
    std::string key(1, static_cast<char>(life.kind));
    key += there ? '+' : '-';
    key += mode ? std::to_string(*mode) : "?";
    ((key += ' ') += life.born.call) += ' ';
    const std::size_t fixed = key.size();
    key += directory;
    auto found = group_numbers_.find(key);
    if (found == group_numbers_.end() && full) {
      key.resize(fixed);
      found = group_numbers_.find(key);
    }
    if (found == group_numbers_.end()) {
      found = group_numbers_.emplace(key, out_.groups.size()).first;
      out_.groups.push_back({full ? "" : std::string(directory), life.kind,
                             std::string(life.born.call), mode, there, 0});
    }
    last_group_ = found->second;
    ++out_.groups[last_group_].count;
  }

  void is_alive(const EventBase& event) {
    if (first_pid_ == 0) first_pid_ = event.pid;
    if (in_force_.empty() || event.fs == 0) return;
    const auto found = in_force_.find(event.fs);
    if (found != in_force_.end())
      found->second.seen_ns = std::max(found->second.seen_ns, event.time_ns);
  }
  void end_change(const UmaskEvent& next) {
    const auto found = in_force_.find(next.fs);
    if (found == in_force_.end()) return;
    if (next.folded.has_times()) {
      MaskChanges& group = out_.changes[found->second.group];
      group.held_ns += next.folded.total_ns;
      group.longest_ns = std::max(group.longest_ns, next.folded.longest_ns);
    } else {
      close(found->second, next.time_ns);
    }
    in_force_.erase(found);
  }
  void close(const InForce& open, std::uint64_t end_ns) {
    MaskChanges& group = out_.changes[open.group];
    const std::uint64_t held = end_ns > open.since_ns ? end_ns - open.since_ns : 0;
    group.held_ns += held;
    group.longest_ns = std::max(group.longest_ns, held);
  }

  LifeOptions life_options() {
    LifeOptions options;
    options.links = options_.links;
    options.selects = [this](const CreateEvent&) { return selected_; };
    options.on_end = [this](const ObjectLife& life) { object_ends(life); };
    return options;
  }

  const SummaryOptions& options_;
  Summary& out_;
  Before before_;
  bool selected_ = false;  // the filter selects the current event
  ObjectLives lives_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t>
      groups_;
  std::unordered_map<std::uint32_t, InForce> in_force_;
  std::uint32_t first_pid_ = 0;
  ThreadId lately_[256] = {};  // by a hash
  std::set<ThreadId> threads_;
  std::unordered_map<std::string, std::size_t> group_numbers_;
  std::size_t last_group_ = 0;
  std::map<std::pair<trace::Blind, std::string>, std::uint64_t> blind_;
};

Summarizer::Summarizer(const SummaryOptions& options)
    : builder_(std::make_unique<Builder>(options, summary_)) {}
Summarizer::~Summarizer() = default;

void Summarizer::see(const Event& event) { builder_->see(event); }

void Summarizer::creation_fails(const CreateEvent& event, const ObjectLives& lives) {
  builder_->creation_fails(event, lives);
}
void Summarizer::object_ends(const ObjectLife& life) { builder_->object_ends(life); }

void Summarizer::objects_at_end(const ObjectLives& lives) { builder_->objects_at_end(lives); }

Summary Summarizer::finish(std::uint64_t end_ns) {
  builder_->finish(end_ns);
  return std::move(summary_);
}

Summary summarize(const reader::Run& run, const SummaryOptions& options) {
  Summarizer summarizer(options);
  run.for_each_folded([&](const Event& event) {
    summarizer.see(event);
    return true;
  });
  return summarizer.finish(run.end_ns());
}

}  // namespace umaskaudit::analysis
