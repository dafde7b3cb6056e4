// EventBuilder: makes the event of one creation: its path, the candidate masks, the one that
// explains the result, and the umask call behind that.
#include <optional>

#include "reporter/reader/event_builder.h"

namespace umaskaudit::reader {
namespace {

// The most changes during one call that are examined one by one: a call can block for hours
// (opening a FIFO) while another thread toggles the mask.
constexpr std::size_t kMostChanges = 65536;

constexpr char kNameless[] = " (deleted)";

void add_candidates(const trace::Create& create, std::uint16_t flags, const ContextPiece* piece,
                    Candidates* candidates) {
  const bool busy = (flags & trace::kBusy) != 0;
  const bool moved = create.change_after != create.change_before || busy;
  if (moved && piece != nullptr) {
    // A snapshot during a umask call may have that call's mask with the number before it.
    const std::optional<Mode> first = piece->mask_after(create.change_before);
    if (first) candidates->add(*first, create.change_before);
    const std::uint64_t last = create.change_after + (busy ? 1 : 0);
    const MaskHistory* history = piece->history;
    auto change = history == nullptr ? std::nullopt : history->after(create.change_before);
    for (std::size_t n = 0; change && change->change <= last; ++n) {
      if (n == kMostChanges) break;
      candidates->add(change->mask, change->change);
      change = history->after(change->change);
    }
  }
  candidates->add(create.mask_before, create.change_before);
  candidates->add(create.mask_after, create.change_after);
}

}  // namespace

// Created without a name in the directory that was passed: the name that it was given later. Until
// then, and where it never got one, it is called as /proc/PID/fd calls it (proc_pid_fd(5)).
void EventBuilder::name_file(const trace::Create& facts, const MergedRecord& merged,
                             CreateEvent* event) const {
  const TmpfileLinks::Name* given = tmpfile_links_.find(facts, merged.record.head.time_ns);
  if (given == nullptr) {
    std::string& path = event->path;
    // tmpfile(3) chooses its directory itself.
    if (facts.error != 0 || facts.ino == 0 || path.empty()) return;
    while (path.ends_with("/.")) path.resize(path.size() - 2);
    if (!path.ends_with('/')) path += '/';
    path += '#' + std::to_string(facts.ino) + kNameless;
    return;
  }
  const std::string_view* base = given->segment->paths.find(given->base);
  join_path(base == nullptr ? std::string_view{} : *base, given->text, &event->path);
}

Event* EventBuilder::make(const trace::Create& facts, const MergedRecord& merged) {
  const Segment& segment = *merged.segment;
  auto& event = std::get<CreateEvent>(create_slot_);
  fill_base(merged, facts.context, facts.stack, segment.call(facts.call), &event);
  event.kind = static_cast<trace::Kind>(facts.kind);
  event.requested = facts.requested;
  event.final_mode = final_mode(facts.final_mode);
  event.mode_by_name = (merged.record.head.flags & trace::kModeByName) != 0;
  event.created = creators_.settle(facts, segment.index, merged.record.offset);
  event.error = facts.error;
  event.count = 1;
  const std::uint32_t repeat = merged.record.head.repeat;
  if (facts.created == static_cast<std::uint8_t>(trace::Created::no) && repeat != 0 &&
      repeat <= segment.repeats.size()) {
    event.count += segment.repeats[repeat - 1];
  }
  event.open_flags = facts.open_flags;
  event.change_before = facts.change_before;
  event.change_after = facts.change_after;
  event.dev = facts.dev;
  event.ino = facts.ino;
  event.birth_ns = facts.birth_ns;
  event.uid = facts.uid;
  event.gid = facts.gid;
  if (!brief_) {
    explain(facts, merged, &event);
  } else if (const ContextPiece* piece = piece_of(segment, facts.context); piece != nullptr) {
    event.mask_setter_dropped = piece->setter_dropped(facts.change_before);
  }
  return &create_slot_;
}

// Fills in what needs other records: the path, the parent, the masks and the derivation.
void EventBuilder::explain(const trace::Create& facts, const MergedRecord& merged,
                           CreateEvent* created) {
  const Segment& segment = *merged.segment;
  CreateEvent& event = *created;
  const std::string_view argument = bytes_after<trace::Create>(merged.record, facts.path_length);
  const std::string_view* base = segment.paths.find(facts.base);
  event.path_arg = argument;
  join_path(base == nullptr ? std::string_view{} : *base, argument, &event.path);
  event.link.clear();
  const std::string_view* target = segment.paths.find(facts.target);
  if (target != nullptr) {
    event.link = event.path;
    const bool absolute = target->starts_with('/');
    join_path(absolute || base == nullptr ? std::string_view{} : *base, *target, &event.path);
  }
  if (event.kind == trace::Kind::tmpfile) name_file(facts, merged, &event);
  const ParentFacts* parent = segment.directories.find(facts.directory);
  event.parent.reset();
  if (parent != nullptr) event.parent = *parent;

  const ContextPiece* piece = piece_of(segment, facts.context);
  Candidates& candidates = candidates_;
  candidates.clear();
  add_candidates(facts, merged.record.head.flags, piece, &candidates);
  const Derivation& derivation =
      derivations_.derive(segment, facts, event.created, candidates.masks());
  event.mask = derivation.mask.value_or(candidates.masks().front());
  event.steps = derivation.steps;
  event.ambiguous_masks.clear();
  if (candidates.masks().size() > 1) event.ambiguous_masks = candidates.masks();
  event.mask_set_by.reset();
  event.mask_setter_dropped = false;
  if (piece == nullptr) return;
  const std::uint64_t change = candidates.change_of(event.mask);
  event.mask_set_by = piece->set_by(change);
  event.mask_setter_dropped = !event.mask_set_by && piece->setter_dropped(change);
}

}  // namespace umaskaudit::reader
