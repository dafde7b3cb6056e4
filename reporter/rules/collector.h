// Collector: the findings while they grow. 20,000 hits of one pair of call sites are one finding
// with a count. Must never keep more of a hit than a few examples: memory is bounded by pairs of
// call sites, and by the objects whose end is judged too. Filled by the checks, emptied by find.cc.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "reporter/base/flat_map.h"
#include "reporter/rules/find.h"
#include "reporter/rules/fingerprint.h"
#include "reporter/rules/later_names.h"
#include "reporter/rules/private_directories.h"
#include "reporter/rules/programs.h"
#include "reporter/rules/timeline.h"

namespace umaskaudit::rules {

EventRef event_ref(const EventBase& event);
EventRef event_ref(const UmaskEvent& event);

// What distinguishes one finding from another: the rule, the program, the innermost functions of
// the program itself that caused it and that it happened to, and the mask. The callers of these
// functions do not: called from several places, it is one finding.
struct FindingIdentity {
  RuleId rule;
  const EventBase& culprit;
  const EventBase* victim = nullptr;
  std::string_view subject = {};  // Finding::subject
  bool at_end = false;            // Finding::at_end
  // The program alone distinguishes them: one finding for all of its functions.
  bool whole_program = false;
  // Nor does the program: the initial mask is the cause.
  bool whole_run = false;
  std::optional<Mode> mask = std::nullopt;  // that a culprit set, where its findings differ by it
  bool born_inside = false;  // what it hit was started while that mask was set, and may be meant
  // Only for Finding::older_prints: the second version named it by the innermost function.
  bool innermost = false;
  bool recorded = true;  // no: nothing is known of the culprit
};

// An object that is there at the end, with another mode or name than at its birth, or that was
// there before the run and was changed in it, or that no record names.
struct LastSeen {
  const ObjectLife& life;
  std::span<const std::string> names;  // those that it has, then those that it had
  std::size_t present = 0;             // how many it has
  Mode reached = 0;                    // PrivateDirectories::of

  // No: it was found on disk, and its birth is empty but for the time.
  bool recorded() const { return life.id != 0; }
};

// The call that gave an object these bits of its mode: the last one that widened it, or its
// creation where it had them from the beginning.
EventBase culprit_of(const ObjectLife& life, Mode bits);

// A finding and what is needed until it is complete.
struct Group {
  Finding finding;
  // Windows by the seq of their first event.
  std::uint64_t last_window = 0;     // the last one counted
  std::uint64_t example_window = 0;  // the one that the finding shows, while its end is not known
  std::unordered_set<std::uint32_t> pids, tids;  // of the culprits
  // Those that were added lately, by the last bits of the thread's id.
  std::array<std::uint64_t, 8> lately{};
};

class Collector {
 public:
  // All must outlive the collector. `private_directories` is as the events up to the present one
  // leave it.
  Collector(const FindOptions& options, const PrivateDirectories& private_directories,
            const LaterNames& later)
      : options_(options), private_directories_(private_directories), later_(later) {}

  // The finding of this identity; `fresh`: it is new, and then its culprit is set. The
  // reference stays valid.
  Group& group(const FindingIdentity& identity, bool* fresh);

  // Is this object of concern to the rule at all? Ask before making a group for it.
  bool wanted(RuleId rule, const std::string& path) const;
  bool wanted(RuleId rule, const CreateEvent& event) const;
  bool wanted(RuleId rule, std::span<const std::string> names) const;
  const PrivateDirectories& private_directories() const { return private_directories_; }
  const LaterNames& later_names() const { return later_; }
  // Counts one object and keeps it if it is among the first.
  // `severity`: Hit::severity, where it is not that of the group.
  void add_victim(Group& group, const CreateEvent& event, Mode expected_mask, Mode expected,
                  std::optional<Severity> severity = std::nullopt);
  // This object, which was counted, stands first among the examples.
  void show_first(Group& group, const CreateEvent& event, Mode expected_mask, Mode expected);
  // The same for an object as the run left it.
  void add_victim(Group& group, const LastSeen& last, Mode expected, Severity severity);
  // Counts `window` for this group; its length is added when it closes.
  void add_window(Group& group, const WindowPtr& window);
  void window_closed(const MaskWindow& window);

  void see(const Event& event);
  // Fills in where the threads of culprit and victim were created.
  void add_births(Finding& finding) const;
  // Has one of the group's processes ever had a second thread?
  bool is_threaded(const Group& group) const;

  // The object made by the event `seq` may have another mode or name at the end: the severities
  // that rules give to its birth are kept until object_ends().
  void watch(std::uint64_t seq) { at_birth_[birth_key(seq)]; }
  // The severity that the rule gave to its birth; nothing when the rule did not report it.
  std::optional<Severity> severity_at_birth(std::uint64_t seq, RuleId rule) const;
  void object_ends(const ObjectLife& life);

  // Windows that are still open end here, and the examples get their last state.
  void close(std::uint64_t end_ns);
  // The findings, in the order in which they began.
  std::vector<Finding> take();

 private:
  using NameOfStack = std::function<std::string(StackRef)>;
  struct Key {
    std::uint64_t what = 0;  // rule, moment, program; never 0
    StackRef culprit, victim;
    std::size_t subject = 0;  // and mask, and born_inside
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct BirthSeverities {
    std::uint64_t severities = 0;  // two bits for each rule: 0, or the severity and 1
    bool example = false;          // of a finding
  };
  struct LastName {
    std::string path;
    Mode mode = 0;
  };
  static std::uint64_t birth_key(std::uint64_t seq) { return seq + 1; }
  // What a finding's fingerprint is made of, its functions named by `name`; the older versions'.
  static Print print_of(const FindingIdentity& identity, const std::string& program,
                        const NameOfStack& name);
  const NameOfStack& third_name() const;
  std::string third_print(const FindingIdentity& identity, const std::string& program) const;
  std::string older_print(const FindingIdentity& identity, const std::string& program) const;
  static void account(Group& group, const MaskWindow& window, std::uint64_t end_ns);
  Victim victim_of(const CreateEvent& event, Mode expected_mask, Mode expected) const;
  bool keep(Group& group, Victim victim);
  void report_hit(const Hit& hit);

  const FindOptions& options_;
  const PrivateDirectories& private_directories_;
  const LaterNames& later_;
  Programs programs_;
  std::vector<std::unique_ptr<Group>> groups_;
  FlatMap<Key, Group*, KeyHash> by_key_;
  std::unordered_map<std::string, Group*> by_fingerprint_;
  std::unordered_map<const MaskWindow*, std::pair<WindowPtr, std::vector<Group*>>> open_;
  std::unordered_map<std::uint32_t, EventRef> births_;  // by the new thread's id
  std::unordered_set<std::uint32_t> threaded_;          // pids
  std::uint32_t last_threaded_ = 0;                     // the last one that was added
  FlatMap<std::uint64_t, BirthSeverities, NumberHash> at_birth_;
  std::unordered_map<std::uint64_t, LastName> last_names_;  // of examples
  std::unordered_map<std::uint64_t, std::vector<FinalHit>> pending_;
};

}  // namespace umaskaudit::rules
