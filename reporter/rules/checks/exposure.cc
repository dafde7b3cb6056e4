// What an object's mode and name say by themselves, as it was made and as the run left it:
// world-writable, group-writable, secret-readable, predictable-temp, setid-created.
// Must never repeat what a finding with a cause reports, nor alarm where no other user can reach
// the object; at the end, only what was not reported at the birth.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "reporter/objects/open_objects.h"
#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"
#include "reporter/rules/secrets.h"

namespace umaskaudit::rules {
namespace {

using trace::Kind;

constexpr char kSocketAdvice[] =
    "If not everybody is to connect, use a group (0660), or bind in a directory that others cannot "
    "enter; else ask each client who it is: SO_PEERCRED of unix(7).";
constexpr char kChmodAdvice[] =
    "Give chmod the mode that is needed (0644, 0755, 0660 with a group). For a shared directory "
    "set "
    "the sticky bit.";
constexpr char kSecretAdvice[] =
    "Leave it at 0600; where a service must read it, give that a group.";

// Names that the kernel or libc makes up, or that no file system shows.
bool has_fixed_name(const CreateEvent& event) {
  const std::string_view call = event.call;
  return event.kind == Kind::file && call.find("temp") == std::string_view::npos &&
         call.find("tmp") == std::string_view::npos;
}

bool in_shared_directory(const CreateEvent& event) {
  constexpr Mode kShared = S_ISVTX | S_IWOTH;
  return event.parent && (event.parent->mode & kShared) == kShared;
}

class ExposureCheck : public Check {
 public:
  ExposureCheck(Collector& collector, const FindOptions& options)
      : collector_(collector), options_(options) {}

  void on_change(const UmaskEvent& event, const Change& /*change*/) override {
    if ((event.new_mask & S_IWGRP) == 0 && event.pid != last_chooser_) {
      last_chooser_ = event.pid;
      choosers_.insert(event.pid);
    }
  }

  // A new program did not choose the mask that it was born with.
  void on_event(const Event& event) override {
    if (const auto* fork = std::get_if<ForkEvent>(&event)) {
      if (choosers_.contains(fork->pid)) choosers_.insert(fork->child);
    } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      if (process->origin == trace::Origin::exec) choosers_.erase(process->pid);
      last_chooser_ = 0;
    }
  }

  void on_create(CheckedCreation& creation) override {
    const CreateEvent& event = creation.event;
    if (creation.verdict.kind == Verdict::Kind::no_object || event.kind == Kind::tmpfile) return;
    const Mode mode = creation.verdict.mode;
    if (event.kind == Kind::file && (mode & 044) != 0) {
      const Secrecy secrecy = std::max(
          secrecy_of(event.path, options_.secret_names),
          event.link.empty() ? Secrecy::none : secrecy_of(event.link, options_.secret_names));
      if (is_exposed(secrecy, mode)) report_birth(creation, secret(secrecy, mode));
    }
    if (const Mode who = writers(mode, event.kind); who != 0)
      report_birth(creation, writable(who, event.kind));
    if (in_shared_directory(event)) look_at_name(creation);
    if (setid(mode, event.kind) != 0) report_birth(creation, set_id(mode));
  }

  void on_last(const LastSeen& last) override {
    const ObjectLife& life = last.life;
    const bool file = life.kind == Kind::file || life.kind == Kind::tmpfile;
    // Of an object that is older than the run, no call says the kind. A mode without execute bits
    // is that of a file.
    const bool may_be_file = life.kind == Kind::unknown && (life.mode & 0111) == 0;
    // A file without a name has just got one.
    const bool judged = life.created != trace::Created::no && life.kind != Kind::tmpfile;
    const Mode before = judged ? life.born_mode : 0;
    if ((file || may_be_file) && (life.mode & 044) != 0) {
      Secrecy secrecy = Secrecy::none;
      for (const std::string& name : last.names)
        secrecy = std::max(secrecy, secrecy_of(name, options_.secret_names));
      if (is_exposed(secrecy, life.mode)) report_end(last, secret(secrecy, life.mode), before);
    }
    const Mode who = writers(life.mode, life.kind);
    const bool device = life.kind == Kind::unknown && last.names.front().starts_with("/dev/");
    if (who != 0 && !device) report_end(last, writable(who, life.kind), writers(before, life.kind));
    const bool program = file || (life.kind == Kind::unknown && (life.mode & S_ISUID) != 0);
    if (program && setid(life.mode, Kind::file) != 0)
      report_end(last, set_id(life.mode), setid(before, Kind::file));
  }

  void report() override {
    for (Group* group : groups_) {
      Finding& finding = group->finding;
      if (finding.victims.empty()) continue;
      finding.message = finding.at_end ? end_sentence(finding)
                                       : birth_sentence(finding, born_so_.contains(group));
      if (born_so_.contains(group) && finding.older_prints.size() > 1) finding.program.clear();
      collector_.add_births(finding);
    }
  }

 private:
  // The rule that an object violates, and how.
  struct Fault {
    RuleId rule;
    Severity severity;
    Mode wrong;   // bits that it would be better without
    Mode usable;  // bits that must have an effect for other users, or it is a note
  };

  // What may be no secret at all, as shadow(5) is the group's to read, is one for others.
  static bool is_exposed(Secrecy secrecy, Mode mode) {
    return secrecy == Secrecy::certain || (secrecy == Secrecy::likely && (mode & 04) != 0);
  }
  static Fault secret(Secrecy secrecy, Mode mode) {
    // The group may be there to read it. Who may not read a secret has no reason to write it.
    return {RuleId::secret_readable,
            secrecy == Secrecy::certain ? Severity::error : Severity::warning, 066, mode & 04};
  }
  static Fault writable(Mode who, Kind kind) {
    if ((who & S_IWOTH) == 0) return {RuleId::group_writable, Severity::note, S_IWGRP, S_IWGRP};
    // Everybody may be meant where the server asks each client who it is.
    const Severity severity = kind == Kind::socket ? Severity::note : Severity::warning;
    return {RuleId::world_writable, severity, S_IWOTH, S_IWOTH};
  }
  static Fault set_id(Mode mode) {
    return {RuleId::setid_created, Severity::warning, S_ISUID | S_ISGID, mode & 0011};
  }

  // A name that was taken with O_EXCL before, as mkstemp does, was hard to guess.
  void look_at_name(CheckedCreation& creation) {
    const CreateEvent& event = creation.event;
    const std::size_t name = std::hash<std::string>()(event.path);
    if ((event.open_flags & O_EXCL) != 0 || !has_fixed_name(event)) {
      taken_.insert(name);
      return;
    }
    const bool alarming = (creation.verdict.mode & 044) != 0 && taken_.count(name) == 0;
    report_birth(creation,
                 {RuleId::predictable_temp, alarming ? Severity::warning : Severity::note, 0, 07});
  }

  // Notes are one for each program, whatever the call path; but each secret counts.
  Group& group_of(const Fault& fault, const EventBase& culprit, Kind kind, bool at_end,
                  bool by_birth = false, bool recorded = true) {
    const bool note = fault.severity == Severity::note && fault.rule != RuleId::secret_readable;
    bool fresh = false;
    Group& group = collector_.group({.rule = fault.rule,
                                     .culprit = culprit,
                                     .at_end = at_end,
                                     .whole_program = note,
                                     .whole_run = note && by_birth,
                                     .innermost = true,
                                     .recorded = recorded},
                                    &fresh);
    Finding& finding = group.finding;
    if (fresh) {
      finding.severity = fault.severity;
      if (fault.rule == RuleId::world_writable && kind == Kind::socket)
        finding.advice = kSocketAdvice;
      groups_.push_back(&group);
    }
    finding.severity = std::max(finding.severity, fault.severity);
    return group;
  }

  void report_birth(const CheckedCreation& creation, Fault fault) {
    const CreateEvent& event = creation.event;
    if (!collector_.wanted(fault.rule, event)) return;
    if ((fault.usable & collector_.private_directories().of(event)) == 0)
      fault.severity = Severity::note;
    const bool writers =
        fault.rule == RuleId::world_writable || fault.rule == RuleId::group_writable;
    if (writers && creation.claimed && *creation.claimed >= fault.severity) return;
    // Where a mask of 002 is inherited, as on systems that give each user a group, all programs
    // would have this finding.
    const bool by_birth = fault.rule == RuleId::group_writable && (event.mask & S_IWGRP) == 0 &&
                          !choosers_.contains(event.pid);
    Group& group = group_of(fault, event, event.kind, false, by_birth);
    if (by_birth) born_so_.insert(&group);
    collector_.add_victim(group, event, event.mask, creation.verdict.mode & ~fault.wrong,
                          fault.severity);
  }

  // `before`: what the birth was judged by.
  void report_end(const LastSeen& last, Fault fault, Mode before) {
    const ObjectLife& life = last.life;
    if ((fault.usable & last.reached) == 0) fault.severity = Severity::note;
    const std::optional<Severity> at_birth =
        collector_.severity_at_birth(life.born.seq, fault.rule);
    if (at_birth && *at_birth >= fault.severity) return;
    const bool widened = (life.mode & fault.wrong & ~before) != 0;
    // The same bits as at birth: then they count for the name that it got, or for a directory above
    // that others may enter now.
    if (!widened && !at_birth && fault.rule != RuleId::secret_readable) return;
    if (!collector_.wanted(fault.rule, last.names)) return;
    const EventBase culprit = culprit_of(life, life.mode & fault.wrong & ~before);
    const bool by_call = widened && last.recorded() && culprit.seq == life.widened_by.seq;
    Group& group = group_of(fault, culprit, life.kind, true, false, last.recorded());
    if (by_call && group.finding.count == 0 && life.kind != Kind::socket)
      group.finding.advice = fault.rule == RuleId::secret_readable ? kSecretAdvice
                             : fault.rule == RuleId::setid_created ? group.finding.advice
                                                                   : kChmodAdvice;
    collector_.add_victim(group, last, life.mode & ~fault.wrong, fault.severity);
  }

  // "; others may read", and what keeps them out all the same.
  static std::string access(const Finding& finding) {
    const Victim& victim = finding.victims.front();
    const Mode given = effective(victim.mode & ~victim.expected, victim.kind);
    std::string text = access_text(victim.mode & ~victim.expected & 0777, victim.kind);
    if (!text.empty()) text = ": " + text;
    if (finding.rule == RuleId::setid_created)
      text = (victim.mode & S_ISUID) != 0 ? ": it runs with the rights of its owner"
                                          : ": it runs with the rights of its group";
    if (given != 0 && (given & victim.reached) == 0)
      text += ", if they could get there: a directory above it keeps them out";
    return text;
  }

  static std::string objects(const Finding& finding) {
    const Victim& victim = finding.victims.front();
    const std::string path = "'" + victim.path + "'";
    return finding.count == 1 ? path : counted(finding.count, "object") + ", first " + path;
  }

  // `born_so`: with a mask that the program did not choose.
  static std::string birth_sentence(const Finding& finding, bool born_so) {
    const Victim& victim = finding.victims.front();
    const std::size_t programs = finding.older_prints.size();
    const std::string who =
        born_so && programs > 1 ? std::to_string(programs) + " programs" : who_text(finding);
    const std::string text = who + " created " + objects(finding) + " with mode " +
                             octal(victim.mode) + " (requested " + octal(victim.requested & 07777) +
                             ", umask " + octal(victim.mask) + ")";
    if (finding.rule == RuleId::predictable_temp)
      return text + " in a directory that everybody can write";
    return text + access(finding);
  }

  static std::string end_sentence(const Finding& finding) {
    const Victim& victim = finding.victims.front();
    if (!finding.culprit)
      return objects(finding) + (finding.count == 1 ? " has mode " : " with mode ") +
             octal(victim.mode) +
             (finding.count == 1 ? " at the end, and no record says what made it"
                                 : ", were there at the end, and no record says what made them") +
             access(finding);
    std::string text = who_text(finding);
    const bool changed = finding.culprit->seq != victim.event.seq;
    if (changed && victim.before) {
      text += " changed " + objects(finding) + " from " + octal(*victim.before) + " to " +
              octal(victim.changed_to) + " by " + finding.culprit->call;
      if (victim.changed_to != victim.mode) text += ", at the end " + octal(victim.mode);
    } else if (!victim.born_path.empty()) {
      text += " created '" + victim.born_path + "' with mode " + octal(victim.mode) +
              ", which is '" + victim.path + "' at the end";
    } else if (finding.culprit->call.find("chmod") != std::string::npos) {
      text += " changed " + objects(finding) + ", which was there before, to " +
              octal(victim.mode) + " by " + finding.culprit->call;
    } else {
      text += " created " + objects(finding) + " with mode " + octal(victim.mode);
    }
    return text + access(finding);
  }

  Collector& collector_;
  const FindOptions& options_;
  std::unordered_set<std::uint32_t> choosers_;  // processes that let the group write by umask
  std::uint32_t last_chooser_ = 0;
  std::unordered_set<const Group*> born_so_;
  std::unordered_set<std::size_t> taken_;  // hashes of paths in shared directories
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_exposure_check(const CheckParts& parts) {
  return std::make_unique<ExposureCheck>(parts.collector, parts.options);
}

}  // namespace umaskaudit::rules
