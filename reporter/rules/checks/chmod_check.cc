// create-then-chmod: how long an object had more permissions than a later chmod left it.
// Must never report a chmod that only adds permissions: create strict, then widen, is the right
// way; nor call an object closed that the chmod opened to other users.
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "reporter/base/flat_map.h"
#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"
#include "reporter/rules/secrets.h"

namespace umaskaudit::rules {
namespace {

constexpr Mode kOtherPeople = 077;

// What other people could do before and cannot do after. Who may read a program may run a copy of
// it as well: execute bits matter by themselves where that is not so, and with set-user-ID.
Mode taken_away(Mode before, Mode after, trace::Kind kind) {
  Mode bits = effective(before & ~after & kOtherPeople, kind);
  const bool file = kind == trace::Kind::file || kind == trace::Kind::tmpfile;
  if (file && (before & (S_ISUID | S_ISGID)) == 0) {
    const Mode readable_still = before & after & 044;
    bits &= ~(readable_still >> 2);
  }
  return bits;
}

// How much it matters that these bits were open: writing before reading, others before the group.
int weight(Mode bits) {
  return ((bits & 0002) != 0 ? 8 : 0) + ((bits & 0004) != 0 ? 4 : 0) +
         ((bits & 0020) != 0 ? 2 : 0) + ((bits & 0040) != 0 ? 1 : 0);
}

class ChmodCheck : public Check {
 public:
  ChmodCheck(Collector& collector, const FindOptions& options, ChmodTargets targets)
      : collector_(collector), options_(options), targets_(std::move(targets)) {}

  void on_create(CheckedCreation& creation) override {
    const CreateEvent& event = creation.event;
    if (creation.verdict.kind == Verdict::Kind::no_object || event.ino == 0) return;
    const ObjectId id{event.dev, event.ino};
    if (!targets_.contains(id)) return;
    if (taken_away(creation.verdict.mode, 0, event.kind) == 0) {
      forget(id);  // the number was used before
      return;
    }
    Object& object = place_of(id);
    object.created = event;
    object.mode = creation.verdict.mode;
    object.reached = collector_.private_directories().of(event);
  }

  void on_event(const Event& event) override {
    const ChmodEvent* chmod = ChmodTargets::change_in(event);
    if (chmod == nullptr) return;
    const bool again = targets_.comes_after(*chmod);
    const ObjectId id = ChmodTargets::object_of(*chmod);
    const std::uint32_t* found = numbers_.find(id);
    if (found == nullptr) return;
    bool closed = false;
    if (chmod->final_mode) {
      const Mode after = *chmod->final_mode & 07777;
      Object& object = objects_[*found - 1];
      const Mode taken = taken_away(object.mode, after, object.created.kind);
      closed = taken != 0;
      // A directory above may have been opened meanwhile, or shut.
      object.reached |= collector_.private_directories().of(object.created);
      if ((taken & object.reached) != 0) report(object, *chmod, after);
    }
    // What a later one takes away from a closed object was a mode that was set on purpose.
    if (closed || !again) forget(id);
  }

  void report() override {
    for (Group* group : groups_) {
      Finding& finding = group->finding;
      if (finding.victims.empty()) continue;
      finding.message = sentence(finding);
      if (finding.count > 1)
        finding.message += " (" + counted(finding.count, "object") + ", longest " +
                           duration_text(finding.window->longest_ns) + ")";
      collector_.add_births(finding);
    }
  }

 private:
  // An object that a later chmod names: few enough to keep its whole creation, which is reported
  // only when that chmod takes something away.
  struct Object {
    CreateEvent created;
    Mode mode = 0;
    Mode reached = 0;  // bits that had an effect, at its creation or later: PrivateDirectories::of
  };

  Object& place_of(const ObjectId& id) {
    std::uint32_t& number = numbers_[id];
    if (number == 0 && free_.empty()) {
      objects_.emplace_back();
      number = static_cast<std::uint32_t>(objects_.size());
    } else if (number == 0) {
      number = free_.back();
      free_.pop_back();
    }
    return objects_[number - 1];
  }

  void forget(const ObjectId& id) {
    const std::uint32_t* number = numbers_.find(id);
    if (number == nullptr) return;
    free_.push_back(*number);
    numbers_.erase(id);
  }

  static std::string sentence(const Finding& finding) {
    const Victim& victim = finding.victims.front();
    const Mode taken = taken_away(victim.mode, victim.expected, victim.kind) & victim.reached;
    const Mode given =
        effective(victim.expected & ~victim.mode & kOtherPeople, victim.kind) & victim.reached;
    std::string text = "'" + victim.path + "' was created with mode " + octal(victim.mode) +
                       (given == 0 ? " and closed to " : " and changed to ") +
                       octal(victim.expected) + " by " + finding.culprit_end->call + " " +
                       duration_text(finding.window->length_ns()) + " later";
    if (given != 0)
      return text + ": " + now_text(given, victim.kind) + "; until then " +
             then_text(taken, victim.kind);
    return text + "; meanwhile " + access_text(taken, victim.kind);
  }

  void report(const Object& object, const ChmodEvent& chmod, Mode after) {
    const CreateEvent& created = object.created;
    if (!collector_.wanted(RuleId::create_then_chmod, created)) return;
    const std::uint64_t length =
        chmod.time_ns > created.time_ns ? chmod.time_ns - created.time_ns : 0;
    // Who could write meanwhile could plant something; who could read may have read nothing yet.
    const bool writable = (object.mode & ~after & 02 & object.reached) != 0;
    bool fresh = false;
    Group& group = collector_.group({.rule = RuleId::create_then_chmod,
                                     .culprit = created,
                                     .victim = &chmod,
                                     .innermost = true},
                                    &fresh);
    Finding& finding = group.finding;
    const Severity severity = writable ? Severity::warning : Severity::note;
    finding.severity = std::max(finding.severity, severity);
    collector_.add_victim(group, created, created.mask, after, severity);
    if (finding.victims.size() == finding.count)  // it is among the examples
      finding.victims.back().reached = 0700 | object.reached;
    const int rank = 16 * static_cast<int>(secrecy_of(created.path, options_.secret_names)) +
                     weight(taken_away(object.mode, after, created.kind) & object.reached);
    if (fresh) {
      groups_.push_back(&group);
      ranks_[&group] = rank;
      Window window;
      window.count = 1;
      window.shortest_ns = window.longest_ns = length;
      finding.window = window;
    } else {
      finding.window->shortest_ns = std::min(finding.window->shortest_ns, length);
      finding.window->longest_ns = std::max(finding.window->longest_ns, length);
      ++finding.window->count;
      if (rank <= ranks_[&group]) return;
      ranks_[&group] = rank;
      collector_.show_first(group, created, created.mask, after);
      if (!finding.victims.empty()) finding.victims.front().reached = 0700 | object.reached;
    }
    finding.culprit = event_ref(created);
    finding.culprit_end = event_ref(chmod);
    finding.window->begin_ns = created.time_ns;
    finding.window->end_ns = created.time_ns + length;
    finding.window->mask_before = finding.window->mask_inside = created.mask;
  }

  Collector& collector_;
  const FindOptions& options_;
  ChmodTargets targets_;
  std::deque<Object> objects_;  // those in free_ keep the memory of their texts for the next
  FlatMap<ObjectId, std::uint32_t, ObjectHash> numbers_;  // from 1
  std::vector<std::uint32_t> free_;
  std::vector<Group*> groups_;
  std::unordered_map<const Group*, int> ranks_;  // of the object that each shows first
};

}  // namespace

CheckPtr make_chmod_check(const CheckParts& parts) {
  return std::make_unique<ChmodCheck>(parts.collector, parts.options, std::move(parts.targets));
}

}  // namespace umaskaudit::rules
