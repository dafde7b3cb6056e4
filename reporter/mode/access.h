// Describes a mode in one sentence: who may do what with the object.
// Must never say more than the mode does: capabilities, named ACL entries and the directories above
// are not included. Used by `explain`, `umask`, `diff` and `whatif`.
#pragma once

#include <string>

#include "reporter/mode/calculus.h"

namespace umaskaudit {

// "The owner may read and write it; everybody else may read it." For directories "list, enter and
// change" (create, rename and delete in it, which needs x besides w). `acl_mask`: the group bits
// are an ACL's mask, the most that the group and every named user or group may do.
std::string who_may(Mode mode, bool directory, bool acl_mask);

// A class of users, and where its three bits are in a mode.
struct UserClass {
  const char* name;
  unsigned shift;
};
inline constexpr UserClass kUserClasses[] = {{"owner", 6}, {"group", 3}, {"others", 0}};

// "rx" for 05: three bits, as letters.
std::string letters(Mode rwx);

// The change from `from` to `to` in chmod(1)'s notation: "g-w,o-rx", "u+s,o+w". Empty when equal.
std::string access_change(Mode from, Mode to);

}  // namespace umaskaudit
