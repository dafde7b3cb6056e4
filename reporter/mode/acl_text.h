// Parses default ACLs in the notation of setfacl(1).
// Must never look up a user or group: names and numbers are accepted, but only their permissions
// matter. Used by `explain --acl`.
#pragma once

#include <optional>
#include <string_view>

#include "reporter/mode/calculus.h"
#include "reporter/mode/notation.h"

namespace umaskaudit {

// "u::rwx,g::r-x,o::---", "d:u::7,d:u:alice:rw,d:g::5,d:m::rwx,d:o:0": entries as after `setfacl -d
// --set`. Named users and groups without a mask entry get the union of the group class as the mask,
// as setfacl does. Missing entries for owner, group and others are copied from `directory`, the
// directory's own mode, if that is given; else they are an error.
Parsed<DefaultAcl> parse_acl_text(std::string_view text, std::optional<Mode> directory);

}  // namespace umaskaudit
