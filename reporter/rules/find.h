// All rules over one run: events in, findings out.
// Must never start a process, read a file or look at a clock: the same events give the same
// findings. Called by `check`, by `report` and by the summary of `run`; tests pass their own
// events.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/objects/object_lives.h"
#include "reporter/objects/unrecorded_object.h"
#include "reporter/reader/run.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

struct Policy;  // policy.h

// Calls its argument for each event of a run in merged order, until that returns false. Called more
// than once; each time the same events must come in the same order.
using EventSource = std::function<void(const std::function<bool(const Event&)>&)>;

// One object that a rule found hit. The references are valid during the call.
struct Hit {
  RuleId rule;
  // Its creation. At the end: with the name and the mode it has then; for an object that was there
  // before the run, `created` is `no` and the event is the call that changed it.
  const CreateEvent& event;
  Mode expected_mask;
  Mode expected;                      // the mode it should have had
  Severity severity;                  // of a finding that had hit this object alone
  bool at_end = false;                // judged as the run left it, not as it was made
  std::string_view fingerprint = {};  // of the finding that it belongs to
};

// A hit, with the last state of the object.
struct FinalHit {
  RuleId rule = RuleId::window_overlap;
  Severity severity = Severity::note;
  bool at_end = false;
  std::uint64_t seq = 0;  // as Hit::event; 0: no record names it
  std::uint32_t pid = 0, tid = 0;
  trace::Kind kind = trace::Kind::unknown;
  std::uint32_t requested = 0;
  Mode mask = 0, expected_mask = 0;
  std::optional<Mode> mode;  // that was judged
  Mode expected = 0;
  std::string born_path;
  std::string path;  // at the end, or the last one it had
  std::optional<Mode> last_mode;
  ObjectState state = ObjectState::unknown;
};

// A mask that a thread set for a while, by UmaskEvent::id: from the call that set it to the one
// that put the old mask back.
struct WindowSpan {
  std::uint64_t open = 0;
  std::uint64_t close = 0;  // 0: it was never put back, and should have been
};

struct FindOptions {
  // Names the code of a stack for fingerprints and for merging: the innermost function that is the
  // program's own and was not inlined, or its module. Without it `place` stands in,
  // without that `symbol`. Empty result
  // or no function: unknown.
  std::function<std::string(StackRef)> code;
  // The innermost function that is the program's own, also where it was inlined, for
  // Finding::source_prints. Without it there are none.
  std::function<std::string(StackRef)> source_code;
  // The place in the machine code, which stays when a build is stripped, for Finding::code_prints.
  // Without it there are none. Where the code has no build id: the same as `code`.
  std::function<std::string(StackRef)> machine_code;
  // Of the third version of fingerprints. Without it `symbol` stands in.
  std::function<std::string(StackRef)> place;
  // The same for Finding::older_prints: modules and symbols, innermost first, no addresses.
  std::function<std::string(StackRef)> symbol_chain;
  // The innermost function of such a chain alone. Without it the chain stands in.
  std::function<std::string(StackRef)> symbol;
  // Of a umask call and the one that undid it: the runtime of a language that made both in order to
  // read the mask. Empty result or no function: none did.
  std::function<std::string(StackRef, StackRef)> runtime_idiom;
  // Further names of secrets: globs over the last component of a path.
  std::vector<std::string> secret_names;
  const Policy* policy = nullptr;
  // Which mask was in force before this is not known in full: Dropped::whole_since_ns. Taken from
  // the run where there is one.
  std::uint64_t whole_since_ns = 0;
  // True: an object of these names is of no concern to that rule (a suppression by path). They are
  // all names that the object is known to have, or to have had.
  std::function<bool(RuleId, std::span<const std::string> names)> skip_object;
  // Judged at the end as the objects of the run are: what made them is not known, so the findings
  // have no culprit.
  std::vector<UnrecordedObject> unrecorded;
  // Called for each object hit that a record names, once that is known, which may be long after its
  // creation: the findings keep only examples.
  std::function<void(const Hit&)> on_hit;
  // The same with the object's last state: called when it is removed, or at the end of the run.
  // Costs the memory of all objects that exist at the same time.
  std::function<void(const FinalHit&)> on_final_hit;
  // The symbolic links that were there before the run: LifeOptions::links.
  NameTree::Links links;
  // Called for each window, when it closes or is known to leak.
  std::function<void(const WindowSpan&)> on_window;
  // Called for each event, in order, before the rules: a caller that needs both reads the run once
  // less.
  std::function<void(const Event&)> on_event;
  // Called for each object when it ends, and with those that exist at the end, so that a caller
  // that needs the lives of all objects reads the run once less. Objects with `created` == `no` are
  // among them. Both or none.
  std::function<void(const ObjectLife&)> on_life_end;
  std::function<void(const ObjectLives&)> on_lives;
  // With these: each event, in order, and the object that it is about (ObjectLife::id); 0: none
  // that the run made or changed. Then objects that were there before are followed whatever a chmod
  // made of them.
  std::function<void(const Event&, std::uint64_t object)> on_event_object;
  // With these: a creation that failed, and the objects as they are at that moment.
  std::function<void(const CreateEvent&, const ObjectLives&)> on_failure;
  std::size_t max_examples = 5;
};

// What the rules saw, and how much of it left room for doubt.
struct FindStats {
  std::uint64_t creations = 0;  // objects made
  std::uint64_t mask_changes = 0;
  std::uint64_t windows = 0;     // masks set and later restored by the same thread
  std::uint64_t ambiguous = 0;   // creations during which the mask moved
  std::uint64_t resolved = 0;    // of these, decided by the final mode
  std::uint64_t unresolved = 0;  // creations that may or may not have been hit; never listed
};

struct FindResult {
  std::vector<Finding> findings;  // worst first
  FindStats stats;
};

FindResult find(const EventSource& source, const FindOptions& options);
FindResult find(const reader::Run& run, const FindOptions& options);

}  // namespace umaskaudit::rules
