// The events of a run: one struct for each kind. Plain data, made by the reader. String views point
// into the Run that made them and live as long as it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit {

// A stack of one segment; id 0: none was recorded.
struct StackRef {
  std::uint32_t segment = 0;
  std::uint32_t id = 0;
  bool operator==(const StackRef&) const = default;
};

// Common to all events.
struct EventBase {
  std::uint64_t seq = 0;  // 1, 2, ... in the merged order of the run
  std::uint64_t time_ns = 0;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::string_view thread;  // its name at that time
  std::uint32_t fs = 0;     // run-wide fs context id
  std::string_view call;    // "umask", "mkdir", ...; empty where there is none
  StackRef stack;
};

// One process image, or a forked child that recorded something.
struct ProcessEvent : EventBase {
  std::uint32_t ppid = 0;
  std::string_view comm;
  std::string_view exe;
  trace::Origin origin = trace::Origin::unknown;
  Mode mask = 0;  // initial mask
  trace::MaskSource mask_source = trace::MaskSource::unknown;
  std::uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
  trace::Recorder recorder = trace::Recorder::shim;  // of the image
  StackRef started;  // for a program: the stack of the exec or spawn that started it, if known
};

// For a folded event: the number of equal changes that it stands for, and how long the masks before
// them had been in force.
struct FoldSpan {
  std::uint64_t count = 1;
  std::uint64_t shortest_ns = 0, longest_ns = 0, total_ns = 0;
  std::uint64_t behind = 1;  // the previous change of the other kind has a number so much lower

  // Otherwise the times of the events are exact.
  bool has_times() const { return longest_ns != 0; }
};

struct UmaskEvent : EventBase {
  std::uint64_t id = 0;      // 1, 2, ... in the merged order: what mask_set_by names
  std::uint64_t change = 0;  // the context's own number of this change
  Mode old_mask = 0;
  std::optional<std::uint64_t> old_set_by;  // UmaskEvent::id behind old_mask; nothing: inherited
  bool old_setter_dropped = false;          // nothing: by a call whose record was dropped
  Mode new_mask = 0;
  std::uint32_t argument = 0;  // as passed
  bool drift = false;          // the mask was changed unseen before this call
  Mode cached = 0;             // the cached mask (differs from old_mask when drift is set)
  // UmaskEvent::id of the change by another process that shares the fs context; nothing: not seen.
  std::optional<std::uint64_t> drift_set_by;
  // More than one: folded. Times and numbers are those of the last one.
  FoldSpan folded;
};

struct CreateEvent : EventBase {
  trace::Kind kind = trace::Kind::unknown;
  std::string path;      // absolute where that is known; raw bytes
  std::string path_arg;  // as passed
  std::string link;      // the symbolic link that was passed, if `path` is its target
  std::uint32_t requested = 0;
  Mode mask = 0;  // in force before the call, or the candidate that explains the final mode
  std::optional<Mode> final_mode;
  bool mode_by_name = false;  // final_mode was read by name right after the call
  trace::Created created = trace::Created::unknown;
  std::optional<std::uint64_t> mask_set_by;  // UmaskEvent::id; nothing: inherited
  bool mask_setter_dropped = false;          // nothing: by a call whose record was dropped
  std::vector<Mode> ambiguous_masks;         // only when the mask moved during the call
  std::vector<Step> steps;
  std::int32_t error = 0;  // errno
  // How often this call site opened the object, for an existing one: the first time is the event,
  // later ones were only counted.
  std::uint64_t count = 1;
  std::uint32_t open_flags = 0;
  std::uint64_t change_before = 0, change_after = 0;  // numbers of the context's mask changes
  std::uint64_t dev = 0, ino = 0;
  std::int64_t birth_ns = 0;
  std::uint32_t uid = 0, gid = 0;
  std::optional<ParentFacts> parent;
};

struct ChmodEvent : EventBase {
  std::string path;  // empty where a descriptor's object has no name: use dev and ino
  std::uint32_t requested = 0;
  std::optional<Mode> final_mode;
  std::int32_t error = 0;
  std::uint64_t dev = 0, ino = 0;
  std::uint16_t acl = 0;  // 1: an ACL was set or removed, 2: a default ACL
};

struct RenameEvent : EventBase {
  enum class Action : std::uint8_t { renamed = 1, linked = 2, unlinked = 3, symlinked = 4 };
  Action action = Action::renamed;
  bool exchange = false;  // renamed with exchange: both names stay and swap their objects
  std::string from, to;
  std::int32_t error = 0;
  std::uint64_t dev = 0, ino = 0;
};

struct BlindSpotEvent : EventBase {
  trace::Blind reason = trace::Blind::other;
  std::string text;  // the cause: program, library
};

// Events that could not be recorded, or not be read back.
struct LossEvent : EventBase {
  std::string reason;       // "segment-full", "damaged", ...
  std::uint64_t count = 0;  // records (bytes, for damage)
  std::string detail;       // for people
};

struct NoteEvent : EventBase {
  std::string_view text;
};

// fork and exec, for the tree of processes.
struct ForkEvent : EventBase {
  std::uint32_t child = 0;
  trace::Origin origin = trace::Origin::unknown;
};
struct ExecEvent : EventBase {
  std::string_view path;
  bool repaired = false;
  std::int32_t error = 0;  // not 0: the exec failed
};
// The creation of a thread, recorded by its creator, whose id is the base's `tid`.
struct ThreadCreateEvent : EventBase {
  std::uint32_t created_tid = 0;  // 0 when the new thread never recorded anything
};

using Event =
    std::variant<ProcessEvent, UmaskEvent, CreateEvent, ChmodEvent, RenameEvent, BlindSpotEvent,
                 LossEvent, NoteEvent, ForkEvent, ExecEvent, ThreadCreateEvent>;

// The number of changes that the event stands for: more than one if folded.
inline std::uint64_t count_of(const Event& event) {
  const auto* change = std::get_if<UmaskEvent>(&event);
  return change != nullptr ? change->folded.count : 1;
}

// How much of each event a walk fills in: all of it, or only ids: who did what to which object,
// without names, paths, masks and derivations of creations, which are most of the work.
enum class Detail : std::uint8_t { full, brief };

// How folded mask changes are passed on: each as an event, or one pair of events for many of them
// (UmaskEvent::folded).
enum class Folds : std::uint8_t { expanded, folded };

// One recorded frame, not yet symbolised.
struct RawFrame {
  std::uint32_t module = 0;  // index for Run::module(segment, module); 0: generated code
  std::uint64_t offset = 0;  // return address - load bias, or the address itself for module 0
};

struct ModuleInfo {
  std::string_view path;
  std::string build_id;  // lower-case hex; may be empty
  std::uint64_t base = 0, start = 0, end = 0;
};

// The input of the calculus for this event, for derive() and predict().
CreationFacts facts_of(const CreateEvent& event);

// "file", "dir", ... and "yes" -> true etc. as in the JSON schema.
const char* kind_name(trace::Kind kind);
const char* origin_name(trace::Origin origin);
const char* mask_source_name(trace::MaskSource source);
const char* change_name(const RenameEvent& event);
const char* change_name(const ChmodEvent& event);
// "exec-static", ... and one line that explains it and says what to do.
const char* blind_name(trace::Blind reason);
const char* blind_advice(trace::Blind reason);

}  // namespace umaskaudit
