// The table of rules: one row each, in the order of RuleId.
// Must never name anything of the audited program: these words are true wherever the rule fires.
// Read through rule_info() by the rules, the renderers and the manual.
#include <array>

#include "reporter/rules/finding.h"

namespace umaskaudit {
namespace {

constexpr std::array<RuleInfo, kRuleCount> kRules = {{
    {RuleId::window_overlap, "window-overlap", Severity::error, 362,
     "One thread's temporary umask opened another thread's files",
     "The umask belongs to the whole process. While one thread had set it for its own purpose, "
     "another thread created objects, and they came out with permissions that nobody meant them "
     "to have. A lock around umask() does not help: the creating thread takes no lock.",
     "Do not change the umask for one object. Create it with the mode it needs and widen it with "
     "fchmod() on the descriptor (bind in a private 0700 directory, then chmod); read the mask "
     "from "
     "/proc/thread-self/status or by getumask(); give a helper thread a mask of its own by "
     "unshare(CLONE_FS), or a child by posix_spawn or subprocess(umask=)."},
    {RuleId::strict_overlap, "strict-overlap", Severity::warning, 362,
     "One thread's temporary umask shut out the users of another thread's files",
     "The umask belongs to the whole process. While one thread had set a strict mask for its own "
     "purpose, another thread created objects, and they came out with fewer permissions than they "
     "should have: the sporadic 'Permission denied' that nobody can reproduce.",
     "Do not tighten the umask for one object. Pass the strict mode itself to open, mkdir or "
     "mkostemp (0600 and 0700 need no mask), or create in a private 0700 directory and rename; for "
     "a whole thread use unshare(CLONE_FS), for a child posix_spawn or subprocess(umask=)."},
    {RuleId::lost_mask, "lost-mask", Severity::error, 362,
     "Two interleaved save-and-restore pairs left the wrong umask for good",
     "Each thread saved the mask, set its own, and put back what it had saved. The second one "
     "saved "
     "the first one's temporary mask, and put that back last: from then on the process runs with a "
     "mask that nobody chose.",
     "Set the umask once, before threads start, and never again. Where code must know the mask, "
     "read it from /proc/thread-self/status or by getumask(); where one object needs another mode, "
     "use fchmod() on its descriptor."},
    {RuleId::leaked_mask, "leaked-mask", Severity::warning, 459,
     "A temporary umask was never restored",
     "A thread set a mask and went on, or ended, without putting the old one back: an early "
     "return, "
     "an exception or a panic between the two calls. Everything that the process creates from then "
     "on has the wrong mode.",
     "Restore in a destructor, defer or finally block; better, do not change the umask at all: "
     "fchmod() on the descriptor, or mkdir(0700) and work inside."},
    {RuleId::exec_in_window, "exec-in-window", Severity::warning, 362,
     "A process was started inside another thread's umask window",
     "fork and exec hand the mask on as it is at that moment. The new process keeps the temporary "
     "mask for its whole life, and so do its children.",
     "Start processes with the mask they need: posix_spawn from a helper, subprocess(umask=), or "
     "umask() in the child between fork and exec; and close the window in the parent: set modes "
     "with fchmod() instead of umask()."},
    {RuleId::getter_idiom, "getter-idiom", Severity::note, 362,
     "The umask was changed and put back, and nothing was made in between",
     "Programs read the mask so, as umask() cannot ask without setting. Between the two calls the "
     "whole process runs with the "
     "probe's mask, and any object that another thread creates then gets the wrong mode.",
     "Read the field Umask of /proc/thread-self/status (Linux 4.7), or call getumask() of "
     "umaskaudit.h; or read the mask once, before threads start, and keep it."},
    {RuleId::umask_zero, "umask-zero", Severity::note, 276, "The process runs with umask 0",
     "With an empty mask every creating call that asks for 0666 or 0777, as fopen, mkdir -p and "
     "bind do, makes an object that everybody may write.",
     "Set 022 or 027 at start, and widen single objects with fchmod(). In a unit file say UMask=."},
    {RuleId::chmod_style_argument, "chmod-style-argument", Severity::warning, 560,
     "umask() was given a mode instead of a mask",
     "The argument of umask() names the bits to take away. This one looks like the mode that was "
     "wanted: it takes access away from the owner and leaves some to others.",
     "Pass the complement: umask(0777 & ~mode), 022 for mode 0755, 077 for mode 0700."},
    {RuleId::unseen_writer, "unseen-writer", Severity::warning, 0,
     "The umask was changed by code that could not be seen",
     "The kernel returned another old mask than the last one that was set through libc: a raw "
     "system call, a static helper that shares the context, or code in another link namespace "
     "changed it.",
     "See the blind spots of this run. Look for inline system calls and RTLD_DEEPBIND libraries "
     "between the two calls that are named."},
    {RuleId::secret_readable, "secret-readable", Severity::error, 732,
     "A secret is readable by others",
     "The name says that this file holds a key, a password or a token, and others have permission "
     "to read it. A later chmod does not help: who has it open keeps it.",
     "Create it with mode 0600: open(O_CREAT | O_EXCL, 0600), mkostemp(), or os.open(..., 0o600); "
     "then write, then rename."},
    {RuleId::world_writable, "world-writable", Severity::warning, 732,
     "Everybody may write an object",
     "Any user of the machine may change this object, or add and remove names in this directory.",
     "Ask for the mode that is needed (0644, 0755, 0660 with a group) instead of relying on the "
     "mask. For a shared directory set the sticky bit; for a socket use a group and fchmod or "
     "chmod after bind in a private directory."},
    {RuleId::group_writable, "group-writable", Severity::note, 276, "The group may write an object",
     "That is right where each user has a group of their own, or where the group is meant to share "
     "the object; else every member may change it.",
     "Use umask 022, or ask for 0644 and 0755; give shared trees a group and a default ACL."},
    {RuleId::create_then_chmod, "create-then-chmod", Severity::note, 367,
     "An object stood open between its creation and the chmod that changed its mode",
     "Whoever opened the object between the two calls keeps that access, whatever its mode says "
     "later.",
     "Create it with the final mode: open(path, O_CREAT | O_EXCL, 0600) or mkdir(path, 0700). "
     "umask is not needed for that."},
    {RuleId::predictable_temp, "predictable-temp", Severity::warning, 377,
     "A file with a fixed name was created in a shared directory without O_EXCL",
     "Anybody may put a file or a symbolic link of that name there first, and the program opens or "
     "overwrites what they chose.",
     "Use mkostemp() or mkdtemp(), O_TMPFILE with linkat(), or O_CREAT | O_EXCL | O_NOFOLLOW; keep "
     "fixed names in $XDG_RUNTIME_DIR or another private directory."},
    {RuleId::setid_created, "setid-created", Severity::warning, 732,
     "A file was given set-user-ID or set-group-ID",
     "Whoever may execute the file runs it with the rights of its owner or its group; where it was "
     "created so, from its first moment, while it is still being written.",
     "Write the file with mode 0700, fchown() it, and set the bit last with fchmod(), where it is "
     "needed at all."},
    {RuleId::policy_mode, "policy-mode", Severity::error, 732,
     "An object has permissions that the policy does not allow",
     "The policy names the widest mode for this path.",
     "Ask for a narrower mode, or run under a stricter mask; if the object is right, widen the "
     "policy."},
    {RuleId::policy_mask, "policy-mask", Severity::error, 276,
     "An object was created under a mask that is weaker than the policy requires",
     "The policy names bits that the mask must take away when this path is created.",
     "Set the umask once at start, as the policy says."},
    {RuleId::policy_call, "policy-call", Severity::error, 676,
     "A call was used that the policy forbids", "The policy names this call as forbidden.",
     "Use the call that the policy's reason names."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRuleCount; ++i)
    if (static_cast<std::size_t>(kRules[i].rule) != i) return false;
  return true;
}
static_assert(in_order(), "rows stand in the order of RuleId");

}  // namespace

const RuleInfo& rule_info(RuleId rule) { return kRules[static_cast<std::size_t>(rule)]; }

const RuleInfo* find_rule(std::string_view id) {
  for (const RuleInfo& rule : kRules)
    if (id == rule.id) return &rule;
  return nullptr;
}

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

std::optional<Severity> parse_severity(std::string_view name) {
  for (const Severity severity : {Severity::note, Severity::warning, Severity::error})
    if (name == severity_name(severity)) return severity;
  return std::nullopt;
}

}  // namespace umaskaudit
