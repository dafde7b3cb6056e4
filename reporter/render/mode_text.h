// Modes and masks as people read them.
// Must never print fewer than four octal digits: 022 and 0022 must not look like different things.
// Called by every renderer and command that shows a mode.
#pragma once

#include <string>

#include "reporter/explain/calculus.h"
#include "reporter/model/events.h"

namespace umaskaudit {

// "0022", "1777"; more digits only when higher bits are set.
std::string octal(std::uint32_t bits);

// "rw-r--r--", with s S t T for the special bits, as ls(1) prints them.
std::string rwx(Mode mode);

// A requested mode without the file type that mknod(2) takes in the same argument.
std::uint32_t without_type(std::uint32_t requested);

// The derivation in one line: "0666 & ~0022 = 0644". Other rules are named:
// "0777 & ~0022, setgid-parent +2000 = 2755". Empty when there are no steps.
std::string derivation_line(const CreateEvent& event);

}  // namespace umaskaudit
