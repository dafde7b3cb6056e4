// Computes derivations; see calculus.h. Pure: no system call.
#include "reporter/mode/calculus.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace umaskaudit {
namespace {

constexpr Mode kPermissions = 0777;
constexpr Mode kAllBits = 07777;    // S_IALLUGO
constexpr Mode kMkdirBits = 01777;  // mkdir(2): "mode & ~umask & 01777" on Linux

// sem_open(3) writes the initial value, and the kernel removes set-user-ID and set-group-ID when an
// unprivileged process writes (file_remove_privs()): only the result shows whether it did.
constexpr Mode kSetIds = S_ISUID | S_ISGID;

Mode honoured_bits(const CreationFacts& facts) {
  if (facts.kind == trace::Kind::dir) return kMkdirBits;
  if (facts.kind == trace::Kind::sem && facts.final_mode) {
    return (kAllBits & ~kSetIds) | (*facts.final_mode & kSetIds);
  }
  return kAllBits;
}

// Builds the list of steps; the mode starts at 0.
class Chain {
 public:
  Chain() { steps_.reserve(kUsualSteps); }

  // `always`: add the step even when it changes nothing.
  void move_to(Rule rule, Mode mode, bool always) {
    if (mode == mode_ && !always) return;
    steps_.push_back({rule, mode & ~mode_, mode_ & ~mode, mode});
    mode_ = mode;
  }
  // Adds the step by which the filesystem reached the final mode.
  void decided_by(std::uint32_t fs_type) { steps_.back().fs_type = fs_type; }
  Mode mode() const { return mode_; }
  std::vector<Step> take() { return std::move(steps_); }

 private:
  static constexpr std::size_t kUsualSteps = 4;  // one allocation for nearly every derivation

  std::vector<Step> steps_;
  Mode mode_ = 0;
};

// mq_open(3) uses no directory: neither an ACL nor a group applies.
bool has_parent(const CreationFacts& facts) { return facts.kind != trace::Kind::mqueue; }

const DefaultAcl* default_acl(const CreationFacts& facts) {
  if (!has_parent(facts) || !facts.parent || !facts.parent->acl) return nullptr;
  return &*facts.parent->acl;
}

void apply_mask_and_acl(const CreationFacts& facts, std::optional<Mode> mask, Chain& chain) {
  const DefaultAcl* acl = default_acl(facts);
  // acl(5): a default ACL replaces the umask. Except for sockets: unix_bind_bsd() applies the umask
  // itself, before the filesystem applies the ACL.
  const bool masked = acl == nullptr || facts.kind == trace::Kind::socket;
  if (masked && mask) {
    chain.move_to(Rule::umask, chain.mode() & ~(*mask & kPermissions), true);
  }
  if (acl != nullptr) {
    const Mode kept = acl_allows(*acl) | (kAllBits & ~kPermissions);
    chain.move_to(Rule::default_acl, chain.mode() & kept, true);
  }
}

// The bit that a set-group-ID parent decides. No mask affects it, so a known result also shows what
// cannot be read: the caller's groups, and mount options (grpid: no inheritance).
void apply_setgid_parent(const CreationFacts& facts, Chain& chain) {
  if (!has_parent(facts)) return;
  if (facts.parent && (facts.parent->mode & S_ISGID) == 0) return;
  const bool known_parent = facts.parent.has_value();
  if (facts.kind == trace::Kind::dir) {
    const bool inherits = facts.final_mode ? (*facts.final_mode & S_ISGID) != 0 : known_parent;
    if (inherits) chain.move_to(Rule::setgid_parent, chain.mode() | S_ISGID, false);
    return;
  }
  // mode_strip_sgid() tests the request, not the mode after the umask.
  constexpr Mode kGroupExec = S_ISGID | S_IXGRP;
  if ((facts.requested & kGroupExec) != kGroupExec) return;
  const bool cleared =
      facts.final_mode ? (*facts.final_mode & S_ISGID) == 0 : known_parent && facts.foreign_group;
  if (cleared) chain.move_to(Rule::setgid_parent, chain.mode() & ~Mode{S_ISGID}, false);
}

Chain run_chain(const CreationFacts& facts, std::optional<Mode> mask) {
  Chain chain;
  chain.move_to(Rule::requested, facts.requested & kAllBits, true);
  chain.move_to(Rule::ignored_bits, chain.mode() & honoured_bits(facts), false);
  apply_mask_and_acl(facts, mask, chain);
  apply_setgid_parent(facts, chain);
  return chain;
}

bool was_there(const CreationFacts& facts) {
  return facts.created == trace::Created::no && facts.final_mode.has_value();
}

std::vector<Step> existing_steps(const CreationFacts& facts) {
  Chain chain;
  chain.move_to(Rule::existing, *facts.final_mode & kAllBits, true);
  return chain.take();
}

bool more_than_one(const std::vector<Mode>& masks) {
  return std::any_of(masks.begin(), masks.end(), [&](Mode mask) {
    return (mask & kPermissions) != (masks.front() & kPermissions);
  });
}

// The rule to name for a mode that no candidate mask explains.
void finish(const CreationFacts& facts, Mode final_mode, Chain& chain) {
  if (chain.mode() == final_mode) return;
  if (facts.parent && filesystem_decides(facts.parent->fs_type)) {
    chain.move_to(Rule::filesystem, final_mode, false);
    chain.decided_by(facts.parent->fs_type);
    return;
  }
  const bool unsure = facts.created == trace::Created::unknown;
  chain.move_to(unsure ? Rule::existing : Rule::unexplained, final_mode, false);
}

}  // namespace

// posix_acl_create_masq() in the kernel: named entries stay in the ACL and never widen the mode.
Mode acl_allows(const DefaultAcl& acl) {
  const Mode group = acl.mask.value_or(acl.group_obj);
  return Mode{acl.user_obj} << 6 | group << 3 | Mode{acl.other};
}

const char* rule_name(Rule rule) {
  switch (rule) {
    case Rule::requested:
      return "requested";
    case Rule::ignored_bits:
      return "ignored-bits";
    case Rule::umask:
      return "umask";
    case Rule::default_acl:
      return "default-acl";
    case Rule::setgid_parent:
      return "setgid-parent";
    case Rule::existing:
      return "existing";
    case Rule::filesystem:
      return "filesystem";
    case Rule::unexplained:
      return "unexplained";
  }
  return "unexplained";
}

std::string step_name(const Step& step) {
  std::string name = rule_name(step.rule);
  if (step.fs_type != 0) name += ' ' + filesystem_name(step.fs_type);
  return name;
}

Derivation predict(const CreationFacts& facts, Mode mask) {
  std::vector<Step> steps =
      was_there(facts) ? existing_steps(facts) : run_chain(facts, mask).take();
  return {std::move(steps), mask & kPermissions, false};
}

Mode predicted_mode(const CreationFacts& facts, Mode mask) {
  return predict(facts, mask).steps.back().mode & kAllBits;
}

Derivation derive(const CreationFacts& facts) {
  Derivation result;
  result.ambiguous = more_than_one(facts.masks);
  if (!facts.masks.empty()) result.mask = facts.masks.front() & kPermissions;
  if (was_there(facts)) {
    result.steps = existing_steps(facts);
    return result;
  }
  Chain chain = run_chain(facts, result.mask);
  if (facts.final_mode) {
    const Mode final_mode = *facts.final_mode & kAllBits;
    for (std::size_t i = 1; i < facts.masks.size() && chain.mode() != final_mode; ++i) {
      const Mode candidate = facts.masks[i] & kPermissions;
      Chain other = run_chain(facts, candidate);
      if (other.mode() != final_mode) continue;
      chain = std::move(other);
      result.mask = candidate;
    }
    finish(facts, final_mode, chain);
  }
  result.steps = chain.take();
  return result;
}

}  // namespace umaskaudit
