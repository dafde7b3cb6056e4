// Default ACLs as people write them for setfacl(1).
// Must never look up a user or group: names and numbers are accepted, but only their permissions
// count. Called by `explain --acl`.
#pragma once

#include <optional>
#include <string_view>

#include "reporter/mode/calculus.h"
#include "reporter/mode/notation.h"

namespace umaskaudit {

// "u::rwx,g::r-x,o::---", "d:u::7,d:u:alice:rw,d:g::5,d:m::rwx,d:o:0": entries as after `setfacl -d
// --set`. Named users and groups without a mask entry make one from the whole group class, as
// setfacl does. Owner, group and others that are not named are copied from `directory`, the mode of
// the directory itself, where that is given; else leaving one out is an error.
Parsed<DefaultAcl> parse_acl_text(std::string_view text, std::optional<Mode> directory);

}  // namespace umaskaudit
