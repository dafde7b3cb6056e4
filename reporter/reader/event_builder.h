// EventBuilder: makes events from merged records, with names, paths, masks and derivations. Must
// never allocate for an event if buffers of earlier ones are large enough. One builder serves one
// walk.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/reader/candidates.h"
#include "reporter/reader/context_tree.h"
#include "reporter/reader/creator_resolver.h"
#include "reporter/reader/derivations.h"
#include "reporter/reader/merger.h"
#include "reporter/reader/segment/string_pool.h"
#include "reporter/reader/tmpfile_links.h"

namespace umaskaudit::reader {

class EventBuilder {
 public:
  // `pool` stores strings that several events share; `texts` those of a single event. They may be
  // the same.
  EventBuilder(const ContextTree& tree, const CreatorResolver& creators,
               const TmpfileLinks& tmpfile_links, StringPool* pool, StringPool* texts,
               Detail detail = Detail::full);

  // After the tree was linked again.
  void contexts_changed();

  // The event of one record, valid until the next call; nothing for records that only change state
  // (thread names) or are too short.
  Event* build(const MergedRecord& merged);

 private:
  // One for each type whose row in record_types.def says that it is an event.
  Event* make(const trace::Process& facts, const MergedRecord& merged);
  Event* make(const trace::Umask& facts, const MergedRecord& merged);
  Event* make(const trace::Create& facts, const MergedRecord& merged);
  Event* make(const trace::Chmod& facts, const MergedRecord& merged);
  Event* make(const trace::Rename& facts, const MergedRecord& merged);
  Event* make(const trace::Exec& facts, const MergedRecord& merged);
  Event* make(const trace::Fork& facts, const MergedRecord& merged);
  Event* make(const trace::BlindSpot& facts, const MergedRecord& merged);
  Event* make(const trace::Note& facts, const MergedRecord& merged);
  Event* make(const trace::ThreadCreate& facts, const MergedRecord& merged);
  // Nothing: a name applies to later events.
  Event* make(const trace::Thread& thread, const MergedRecord& merged);

  void explain(const trace::Create& facts, const MergedRecord& merged, CreateEvent* event);
  void name_file(const trace::Create& facts, const MergedRecord& merged, CreateEvent* event) const;
  std::string_view name_of(const Segment& segment, std::uint32_t tid, std::uint32_t pid);
  const ContextPiece* piece_of(const Segment& segment, std::uint32_t context);
  void fill_base(const MergedRecord& merged, std::uint32_t context, std::uint32_t stack,
                 std::string_view call, EventBase* base);
  template <typename T>
  T& slot();

  const ContextTree& tree_;
  const CreatorResolver& creators_;
  const TmpfileLinks& tmpfile_links_;
  StringPool* pool_;
  StringPool* texts_;
  Derivations derivations_;
  Candidates candidates_;
  const bool brief_;
  // Members, so that their paths and vectors keep their capacity.
  Event create_slot_{CreateEvent{}}, chmod_slot_{ChmodEvent{}}, rename_slot_{RenameEvent{}};
  Event other_slot_;
  std::unordered_map<std::uint64_t, std::string_view> names_;  // by segment and tid
  std::uint64_t last_thread_ = 0;
  std::string_view last_name_;
  std::uint64_t last_context_ = 0;
  const ContextPiece* last_piece_ = nullptr;
};

// The members that need no table.
void describe_image(const trace::Process& facts, ProcessEvent* event);

// The path that a call used: `argument` as passed, joined to `base` if that is known: a directory
// for a relative path, a changed root for an absolute one. Only double slashes and leading "./" are
// removed: ".." may cross a symbolic link. Written to `path`.
void join_path(std::string_view base, std::string_view argument, std::string* path);

}  // namespace umaskaudit::reader
