// The mode calculus: computes the mode on disk from the requested mode, as steps.
// Pure: no file is opened, no clock is read. Called by the reader for each creation, by `explain`,
// `whatif` and the rules. Follows umask(2), open(2), mkdir(2), mknod(2), acl(5), inode(7); tests
// compare it with the kernel for all 512 masks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit {

// Modes and masks hold permission bits only (07777), never the type bits of st_mode.
using Mode = std::uint32_t;

enum class Rule : std::uint8_t {
  requested,      // what the program asked for (or what the call implies)
  ignored_bits,   // bits the call or the kernel never honours
  umask,          // bits the mask took away
  default_acl,    // the parent's default ACL, applied instead of the mask
  setgid_parent,  // S_ISGID inherited by a directory, or cleared from a file of a foreign group
  existing,       // the object existed before, so nothing applied
  filesystem,     // the filesystem's own decision
  unexplained,    // no rule leads to the final mode
};
// "requested", "ignored-bits", ... as in the JSON schema.
const char* rule_name(Rule rule);

struct Step {
  Rule rule;
  Mode sets;                  // bits this step turned on
  Mode clears;                // bits this step turned off
  Mode mode;                  // the mode after it
  std::uint32_t fs_type = 0;  // the filesystem of `filesystem` and `unexplained`
};
// The rule's name, with the filesystem: "umask", "filesystem vfat".
std::string step_name(const Step& step);

// A default ACL reduced to what mode computation needs: acl(5), "OBJECT CREATION AND DEFAULT ACLs".
// Values are rwx bits, 0..7.
struct DefaultAcl {
  std::uint8_t user_obj = 0;
  std::uint8_t group_obj = 0;
  std::uint8_t other = 0;
  std::optional<std::uint8_t> mask;  // if present, it replaces the group bits
};

// The bits 0..0777 that it allows: the mask entry replaces the group's if there is one.
Mode acl_allows(const DefaultAcl& acl);

// Decodes system.posix_acl_default (the kernel's xattr encoding, version 2). Nothing when the bytes
// are no valid ACL or there are none (an empty attribute means no default ACL).
std::optional<DefaultAcl> parse_acl_xattr(const void* bytes, std::size_t length);

struct ParentFacts {
  Mode mode = 0;  // with S_ISGID
  std::uint32_t gid = 0;
  std::optional<DefaultAcl> acl;
  std::uint32_t fs_type = 0;  // statfs(2) f_type; 0 unknown
};

struct CreationFacts {
  trace::Kind kind = trace::Kind::unknown;
  std::string call;                // "mkdir", "open", ...: decides the ignored bits
  std::uint32_t requested = 0;     // as passed, all bits
  std::vector<Mode> masks;         // candidates in order; the first is the mask before the call
  std::optional<Mode> final_mode;  // as found; nothing when unknown
  trace::Created created = trace::Created::yes;
  std::optional<ParentFacts> parent;  // nothing when it was not read
  std::uint32_t object_uid = 0;
  std::uint32_t object_gid = 0;
  // The caller is not in the parent's group and lacks CAP_FSETID. Only `explain` can know; with a
  // final_mode, S_ISGID is taken from that.
  bool foreign_group = false;
};

struct Derivation {
  std::vector<Step> steps;  // never empty; the last mode equals final_mode when that is known
  std::optional<Mode>
      mask;                // the candidate that explains the result; the first one when several do
  bool ambiguous = false;  // more than one distinct candidate mask
};
// Each step builds on the one before, the first on 0: mode = (before | sets) & ~clears.

// The derivation of one creation. Where several candidate masks are given, the first that leads to
// final_mode is chosen.
Derivation derive(const CreationFacts& facts);

// The steps for `requested` under `mask` without a final mode, to predict one for `explain` and
// `whatif`. An object that existed before keeps its final_mode; S_ISGID, which no mask affects, is
// taken from final_mode if there is one.
Derivation predict(const CreationFacts& facts, Mode mask);
// The mode that predict() ends with, without type bits.
Mode predicted_mode(const CreationFacts& facts, Mode mask);

// The name for statfs(2) f_type: "vfat", "fuse", ...; "0x..." for unknown ones.
std::string filesystem_name(std::uint32_t fs_type);
// True for filesystems that may set modes on their own (vfat, FUSE, NFS, overlay, 9p, ...), and for
// unknown types; false for 0, no filesystem at all.
bool filesystem_decides(std::uint32_t fs_type);

}  // namespace umaskaudit
