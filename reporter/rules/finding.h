// Finding: what a rule reports: who opened the window, what was hit, what to do instead.
// Must never hold an address or a view into a run: a finding outlives the run it came from.
// Made by the rules, read by every renderer, by baselines and by suppressions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/events/events.h"

namespace umaskaudit::rules {

// In rising order: `--fail-on` compares.
enum class Severity : std::uint8_t { note, warning, error };

// "note", "warning", "error": the words of SARIF's levels.
const char* severity_name(Severity severity);
std::optional<Severity> parse_severity(std::string_view name);

enum class RuleId : std::uint8_t {
#define RULE(identifier, ...) identifier,
#include "reporter/rules/rules.def"
};
inline constexpr std::size_t kRuleCount = 0
#define RULE(...) +1
#include "reporter/rules/rules.def"
    ;

// What is true of a rule wherever it fires. All text is ours: plain ASCII.
struct RuleInfo {
  RuleId rule;
  const char* id;     // "window-overlap"
  Severity severity;  // the usual one; a finding may say otherwise
  std::uint16_t cwe;  // 362 for CWE-362; 0: none fits
  const char* title;  // what is wrong, in one line
  const char* explanation;
  const char* advice;  // what to do instead
};
const RuleInfo& rule_info(RuleId rule);
// The title of a weakness that a rule names, as MITRE has it; empty for 0.
const char* cwe_title(std::uint16_t cwe);
// Nothing for an unknown id.
const RuleInfo* find_rule(std::string_view id);

// An event as a finding remembers it.
struct EventRef {
  std::uint64_t seq = 0;  // EventBase::seq
  std::uint64_t id = 0;   // UmaskEvent::id; 0 for other events
  std::uint64_t time_ns = 0;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::uint32_t fs = 0;
  std::string thread;  // raw bytes, as the program named it
  std::string call;
  StackRef stack;
};

// One object that was hit. Bounded: a finding keeps the first few, and counts all.
struct Victim {
  EventRef event;  // its creation; where that has no record, only the time
  bool recorded = true;
  std::string path;  // raw bytes; empty for a process
  trace::Kind kind = trace::Kind::unknown;
  std::uint32_t requested = 0;
  Mode mask = 0;           // in force
  Mode expected_mask = 0;  // that should have been
  Mode mode = 0;           // final
  Mode expected = 0;  // as it should have; equal to `mode` where nothing else was to be expected
  bool ambiguous = false;     // the mask moved during the call; the final mode decided
  bool began_before = false;  // the culprit's call had not returned when this one began
  Mode reached = 0777;        // bits that have an effect: directories above may keep users out
  // At the end: what a later call changed the mode from, and to, where one did and that is known;
  // and the name it was made with, where that is another than `path`.
  std::optional<Mode> before;
  Mode changed_to = 0;
  std::string born_path;
  // At birth: what the object is called at the end, and its mode, where they are others.
  std::string last_path;
  std::optional<Mode> last_mode;
};

// How long the mask stood. Times are CLOCK_MONOTONIC.
struct Window {
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;  // of the example; the end of the trace when `open_ended`
  bool open_ended = false;
  Mode mask_before = 0;
  Mode mask_inside = 0;
  std::uint64_t count = 0;  // windows of this kind in which objects were hit
  std::uint64_t shortest_ns = 0;
  std::uint64_t longest_ns = 0;

  std::uint64_t length_ns() const { return end_ns - begin_ns; }
};

// One step of a sequence of calls: of the four that lose a mask.
struct SequenceStep {
  EventRef event;
  std::string text;  // "sets 0000, remembers 0022"
};

enum class BaselineState : std::uint8_t { none, fresh, unchanged };

struct Finding {
  RuleId rule = RuleId::window_overlap;
  Severity severity = Severity::note;
  std::string message;          // this case, in one sentence; raw bytes of the program may be in it
  std::string advice;           // RuleInfo::advice, or what fits this case better
  std::string subject;          // distinguishes findings of one call site: the row of a policy
  std::uint64_t count = 0;      // objects hit (or occurrences, where none is)
  std::uint64_t processes = 1;  // that the culprits' calls came from
  std::uint64_t threads = 1;
  std::string program;  // theirs: the last component of its path; empty: not known
  // About objects as the run left them: the culprit is the call that gave them that mode, and its
  // name is the one they have at the end. Else about objects as they were made.
  bool at_end = false;

  // The call that opened the window, or did the wrong thing; nothing: no record names it.
  std::optional<EventRef> culprit;
  std::optional<EventRef> culprit_end;   // the call that closed it
  std::optional<EventRef> culprit_born;  // where the culprit's thread was created
  std::optional<EventRef> victim_born;   // where the first victim's thread was created
  // Examples, oldest first; of create-then-chmod, the one that matters most comes first.
  std::vector<Victim> victims;
  std::optional<Window> window;
  std::vector<SequenceStep> steps;

  // 16 hex digits: rule, program, the functions of culprit and victim; equal across builds and
  // hosts.
  std::string fingerprint;
  // As the fingerprint, without what was hit: the findings of one cause have it in common.
  std::string cause;
  // The fingerprint by the functions of the source, those that were inlined too, where they are
  // others: a build with less optimisation has them as fingerprints of its findings.
  std::vector<std::string> source_prints;
  // The fingerprint by places in the machine code instead of functions: those of a stripped copy of
  // the same build are equal. Empty where they were not requested.
  std::vector<std::string> code_prints;
  std::vector<std::string> third_prints;  // what the third version of fingerprints called it
  // Of the places in the code that are this one finding, by caller and by what was hit: what the
  // second version of fingerprints called them.
  std::vector<std::string> older_prints;
  std::vector<StackRef> culprit_stacks, victim_stacks;  // different ones; may hold an empty one
  BaselineState baseline = BaselineState::none;
  std::string suppressed_by;  // the reason given in the suppression file; empty: not suppressed

  // A suppression or the baseline covers it: it is not reported again.
  bool is_known() const { return !suppressed_by.empty() || baseline == BaselineState::unchanged; }
  const RuleInfo& info() const { return rule_info(rule); }
};

}  // namespace umaskaudit::rules
