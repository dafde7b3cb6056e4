// Creations are in create_event.cc.
#include "reporter/reader/event_builder.h"

#include <algorithm>
#include <cstdio>

#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {

EventBuilder::EventBuilder(const ContextTree& tree, const CreatorResolver& creators,
                           const TmpfileLinks& tmpfile_links, StringPool* pool, StringPool* texts,
                           Detail detail)
    : tree_(tree),
      creators_(creators),
      tmpfile_links_(tmpfile_links),
      pool_(pool),
      texts_(texts),
      brief_(detail == Detail::brief) {}

void EventBuilder::contexts_changed() {
  last_context_ = 0;
  last_piece_ = nullptr;
}

void join_path(std::string_view base, std::string_view argument, std::string* path) {
  *path = base;
  const bool relative = argument.empty() || argument.front() != '/';
  while (relative && argument.size() >= 2 && argument[0] == '.' && argument[1] == '/') {
    argument.remove_prefix(2);
    while (!argument.empty() && argument.front() == '/') argument.remove_prefix(1);
  }
  if (relative && !base.empty() && !argument.empty() && base.back() != '/') *path += '/';
  // Nearly always nothing has to be removed.
  const bool doubled = path->ends_with('/') && argument.starts_with('/');
  if (!doubled && argument.find("//") == std::string_view::npos) {
    *path += argument;
    return;
  }
  for (const char c : argument) {
    if (c == '/' && !path->empty() && path->back() == '/') continue;
    *path += c;
  }
}

Event* EventBuilder::build(const MergedRecord& merged) {
  Event* event = nullptr;
  visit_record(merged.record, [&]<typename Facts>(const Facts& facts) {
    if constexpr (kTraits<Facts>.is_event) event = make(facts, merged);
  });
  return event;
}

template <typename T>
T& EventBuilder::slot() {
  return other_slot_.emplace<T>();
}

Event* EventBuilder::make(const trace::Thread& thread, const MergedRecord& merged) {
  const std::uint64_t key = std::uint64_t{merged.segment->index} << 32 | thread.tid;
  names_[key] = pool_->intern(padded_text(thread.name));
  last_thread_ = 0;
  return nullptr;
}

// A thread's name at this point of the walk; before its first record, the name in that one; for a
// task without any (a vfork child), the process's.
std::string_view EventBuilder::name_of(const Segment& segment, std::uint32_t tid,
                                       std::uint32_t pid) {
  const std::uint64_t key = std::uint64_t{segment.index} << 32 | tid;
  if (key == last_thread_ && key != 0) return last_name_;
  const auto known = names_.find(key);
  if (known != names_.end()) {
    last_name_ = known->second;
  } else {
    const auto first = segment.tids.find(tid);
    last_name_ = first != segment.tids.end() ? first->second.first_name : segment.comm_of(pid);
  }
  last_thread_ = key;
  return last_name_;
}

const ContextPiece* EventBuilder::piece_of(const Segment& segment, std::uint32_t context) {
  const std::uint64_t key = std::uint64_t{segment.index} << 32 | context;
  if (context == 0) return nullptr;
  if (key != last_context_) {
    last_context_ = key;
    last_piece_ = tree_.find(segment.index, context);
  }
  return last_piece_;
}

void EventBuilder::fill_base(const MergedRecord& merged, std::uint32_t context, std::uint32_t stack,
                             std::string_view call, EventBase* base) {
  const Segment& segment = *merged.segment;
  const trace::RecordHeader& head = merged.record.head;
  const ContextPiece* piece = piece_of(segment, context);
  base->time_ns = merged.time_ns;
  base->pid = head.pid;
  base->tid = head.tid;
  if (!brief_) base->thread = name_of(segment, head.tid, head.pid);
  base->fs = piece == nullptr ? 0 : piece->fs;
  base->call = call;
  base->stack = StackRef{stack == 0 ? 0 : segment.index, stack};
}

void describe_image(const trace::Process& facts, ProcessEvent* event) {
  event->ppid = facts.ppid;
  event->origin = static_cast<trace::Origin>(facts.origin);
  event->mask = facts.mask;
  event->mask_source = static_cast<trace::MaskSource>(facts.mask_source);
  event->uid = facts.uid;
  event->euid = facts.euid;
  event->gid = facts.gid;
  event->egid = facts.egid;
}

Event* EventBuilder::make(const trace::Process& facts, const MergedRecord& merged) {
  auto& event = slot<ProcessEvent>();
  fill_base(merged, facts.context, 0, {}, &event);
  event.comm = pool_->intern(padded_text(facts.comm));
  event.exe = pool_->intern(bytes_after<trace::Process>(merged.record, facts.exe_length));
  describe_image(facts, &event);
  event.recorder = merged.segment->recorder();
  event.started = {};
  if (event.origin == trace::Origin::exec) event.started = tree_.started(*merged.segment);
  return &other_slot_;
}

Event* EventBuilder::make(const trace::Umask& facts, const MergedRecord& merged) {
  auto& event = slot<UmaskEvent>();
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  const auto history = merged.segment->histories.find(facts.context);
  const auto change = history == merged.segment->histories.end()
                          ? std::nullopt
                          : history->second.find(facts.change, merged.record.offset);
  event.id = change ? change->id : 0;
  event.change = facts.change;
  event.old_mask = facts.old_mask;
  event.old_set_by.reset();
  if (const ContextPiece* piece = piece_of(*merged.segment, facts.context); piece != nullptr) {
    const std::uint64_t before =
        facts.change - std::min<std::uint64_t>(facts.change, merged.span.behind);
    event.old_set_by = piece->set_by(before);
    event.old_setter_dropped = !event.old_set_by && piece->setter_dropped(before);
  }
  event.new_mask = facts.new_mask;
  event.argument = facts.argument;
  event.folded = merged.span;
  event.drift = (merged.record.head.flags & trace::kDrift) != 0;
  event.cached = facts.cached;
  event.drift_set_by.reset();
  const ContextPiece* piece = event.drift ? piece_of(*merged.segment, facts.context) : nullptr;
  if (piece != nullptr) event.drift_set_by = piece->found_mask(facts.change);
  return &other_slot_;
}

Event* EventBuilder::make(const trace::Chmod& facts, const MergedRecord& merged) {
  auto& event = std::get<ChmodEvent>(chmod_slot_);
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  const std::string_view path = bytes_after<trace::Chmod>(merged.record, facts.path_length);
  const std::string_view* base = merged.segment->paths.find(facts.base);
  event.path.clear();
  if (!path.empty() && !brief_)
    join_path(base == nullptr ? std::string_view{} : *base, path, &event.path);
  event.requested = facts.requested;
  event.final_mode = final_mode(facts.final_mode);
  event.error = facts.error;
  event.dev = facts.dev;
  event.ino = facts.ino;
  event.acl = facts.acl;
  return &chmod_slot_;
}

Event* EventBuilder::make(const trace::Rename& facts, const MergedRecord& merged) {
  auto& event = std::get<RenameEvent>(rename_slot_);
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  const auto joined = [&](std::uint32_t base_id, std::string_view name, std::string* path) {
    const std::string_view* base = merged.segment->paths.find(base_id);
    path->clear();
    if (!name.empty() && !brief_)
      join_path(base == nullptr ? std::string_view{} : *base, name, path);
  };
  joined(facts.from_base, bytes_after<trace::Rename>(merged.record, facts.from_length),
         &event.from);
  joined(facts.to_base,
         bytes_after<trace::Rename>(merged.record, facts.to_length, facts.from_length), &event.to);
  event.action = static_cast<RenameEvent::Action>(facts.action);
  event.exchange = (facts.flags & RENAME_EXCHANGE) != 0;
  event.error = facts.error;
  event.dev = facts.dev;
  event.ino = facts.ino;
  return &rename_slot_;
}

Event* EventBuilder::make(const trace::Exec& facts, const MergedRecord& merged) {
  auto& event = slot<ExecEvent>();
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  const std::vector<ExecFact>& execs = merged.segment->execs;
  const Layout& layout = merged.segment->layout;
  const auto before = [&](const ExecFact& fact, std::uint64_t offset) {
    return layout.place(fact.offset) < layout.place(offset);
  };
  const auto known = std::lower_bound(execs.begin(), execs.end(), merged.record.offset, before);
  if (known != execs.end() && known->offset == merged.record.offset) {
    event.path = known->path;
    event.error = known->error;
  }
  event.repaired = facts.repaired != 0;
  return &other_slot_;
}

Event* EventBuilder::make(const trace::Fork& facts, const MergedRecord& merged) {
  if (facts.child == 0) return nullptr;  // says only where a shell was started
  auto& event = slot<ForkEvent>();
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  event.child = facts.child;
  event.origin = static_cast<trace::Origin>(facts.origin);
  return &other_slot_;
}

Event* EventBuilder::make(const trace::BlindSpot& facts, const MergedRecord& merged) {
  const trace::RecordHeader& head = merged.record.head;
  if (names_exec(static_cast<trace::Blind>(facts.reason)) &&
      tree_.traced_after(*merged.segment, head.pid, facts.context, head.time_ns)) {
    return nullptr;  // a tracer saw it
  }
  auto& event = slot<BlindSpotEvent>();
  fill_base(merged, facts.context, facts.stack, merged.segment->call(facts.call), &event);
  event.reason = static_cast<trace::Blind>(facts.reason);
  event.text = bytes_after<trace::BlindSpot>(merged.record, facts.text_length);
  return &other_slot_;
}

Event* EventBuilder::make(const trace::Note& facts, const MergedRecord& merged) {
  auto& event = slot<NoteEvent>();
  fill_base(merged, 0, facts.stack, {}, &event);
  event.text = texts_->intern(bytes_after<trace::Note>(merged.record, facts.text_length));
  return &other_slot_;
}

Event* EventBuilder::make(const trace::ThreadCreate& facts, const MergedRecord& merged) {
  auto& event = slot<ThreadCreateEvent>();
  fill_base(merged, 0, facts.stack, {}, &event);
  const std::vector<BirthFact>& births = merged.segment->births;
  const Layout& layout = merged.segment->layout;
  const auto before = [&](const BirthFact& fact, std::uint64_t offset) {
    return layout.place(fact.offset) < layout.place(offset);
  };
  const auto known = std::lower_bound(births.begin(), births.end(), merged.record.offset, before);
  if (known != births.end() && known->offset == merged.record.offset) {
    event.created_tid = known->created_tid;
  }
  return &other_slot_;
}

}  // namespace umaskaudit::reader
