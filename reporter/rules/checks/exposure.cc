// What a new object's mode and name say by themselves: world-writable, group-writable,
// secret-readable, predictable-temp, setid-created.
// Must never repeat what a finding with a cause has claimed, nor alarm where nobody can come by.
#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <unordered_set>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/secrets.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

using trace::Kind;

constexpr char kSocketAdvice[] =
    "If not everybody is to connect, use a group (0660), or bind in a directory that others cannot "
    "enter; else ask each client who it is: SO_PEERCRED of unix(7).";

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

  void on_create(Case& creation) override {
    const CreateEvent& event = creation.event;
    if (creation.verdict.kind == Verdict::Kind::no_object) return;
    if (creation.claimed || event.kind == Kind::tmpfile) return;
    const Mode mode = creation.verdict.mode;
    look_at_secret(event, mode);
    look_at_writers(event, mode);
    if (in_shared_directory(event)) look_at_name(event, mode);
    const bool set_gid = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    if (event.kind == Kind::file && ((mode & S_ISUID) != 0 || set_gid))
      report(RuleId::setid_created, Severity::warning, event, mode & ~Mode{S_ISUID | S_ISGID},
             mode & 0011);
  }

  void tell() override {
    for (Group* group : groups_) {
      if (group->united) continue;
      Finding& finding = group->finding;
      if (finding.victims.empty()) continue;
      finding.message = sentence(finding);
      collector_.add_births(finding);
    }
  }

 private:
  void look_at_secret(const CreateEvent& event, Mode mode) {
    if (event.kind != Kind::file || (mode & 044) == 0) return;
    const Secrecy secrecy = secrecy_of(event.path, options_.secret_names);
    if (secrecy == Secrecy::none) return;
    Severity severity = secrecy == Secrecy::certain ? Severity::error : Severity::warning;
    // The group may be there to read it.
    report(RuleId::secret_readable, severity, event, mode & ~Mode{044}, mode & 04);
  }

  // A name that was taken with O_EXCL before, as mkstemp does, was hard to guess.
  void look_at_name(const CreateEvent& event, Mode mode) {
    const std::size_t name = std::hash<std::string>()(event.path);
    if ((event.open_flags & O_EXCL) != 0 || !has_fixed_name(event)) {
      taken_.insert(name);
      return;
    }
    const bool alarming = (mode & 044) != 0 && taken_.count(name) == 0;
    report(RuleId::predictable_temp, alarming ? Severity::warning : Severity::note, event, mode,
           07);
  }

  void look_at_writers(const CreateEvent& event, Mode mode) {
    // null, zero, tty are for everybody; a sticky directory is shared on purpose.
    const bool meant =
        event.kind == Kind::chardev || (event.kind == Kind::dir && (mode & S_ISVTX) != 0);
    if (meant) return;
    // A server's socket is there to be connected to: its mode says by whom, and a group is the
    // usual answer. Everybody may be meant, too, where the server asks each client who it is.
    const bool socket = event.kind == Kind::socket;
    if ((mode & S_IWOTH) != 0)
      report(RuleId::world_writable, socket ? Severity::note : Severity::warning, event,
             mode & ~Mode{S_IWOTH}, S_IWOTH);
    else if ((mode & S_IWGRP) != 0 && !socket)
      report(RuleId::group_writable, Severity::note, event, mode & ~Mode{S_IWGRP}, S_IWGRP);
  }

  // A note where nobody can make use of `bits`, which are what is wrong with the mode.
  void report(RuleId rule, Severity severity, const CreateEvent& event, Mode better, Mode bits) {
    if (!collector_.wanted(rule, event.path)) return;
    if ((bits & collector_.reach().of(event)) == 0) severity = Severity::note;
    // Objects of one call site that differ in weight are different findings.
    const std::uint64_t variant =
        static_cast<std::uint64_t>(severity) << 8 | static_cast<std::uint64_t>(event.kind);
    bool fresh = false;
    Group& group = collector_.group(rule, event.stack, StackRef{}, variant, &fresh);
    if (fresh) {
      group.finding.culprit = event_ref(event);
      group.finding.severity = severity;
      if (rule == RuleId::world_writable && event.kind == Kind::socket)
        group.finding.advice = kSocketAdvice;
      groups_.push_back(&group);
    }
    collector_.add_victim(group, event, event.mask, better);
  }

  static std::string sentence(const Finding& finding) {
    const Victim& victim = finding.victims.front();
    std::string text = thread_text(victim.event) + " created ";
    if (finding.count > 1) text += counted(finding.count, kind_name(victim.kind)) + ", first ";
    text += "'" + victim.path + "' with mode " + octal(victim.mode) + " (asked for " +
            octal(victim.requested & 07777) + ", umask " + octal(victim.mask) + ")";
    if (finding.rule == RuleId::predictable_temp) return text + " in a directory of everybody";
    const std::string access = access_text(victim.mode & ~victim.expected & 0777, victim.kind);
    if (!access.empty()) text += ": " + access;
    const Mode given = effective(victim.mode & ~victim.expected, victim.kind);
    if (given != 0 && (given & victim.reached) == 0)
      text += ", if they could get there: a directory above it keeps them out";
    return text;
  }

  Collector& collector_;
  const FindOptions& options_;
  std::unordered_set<std::size_t> taken_;  // hashes of paths in shared directories
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_exposure_check(Collector& collector, const FindOptions& options) {
  return std::make_unique<ExposureCheck>(collector, options);
}

}  // namespace umaskaudit::rules
