// The modes of events as people read them; octal() and rwx() are in mode/notation.h.
// Must never interpret a mode: the calculus does.
#pragma once

#include <string>

#include "reporter/events/events.h"
#include "reporter/mode/notation.h"

namespace umaskaudit::render {

// A requested mode without the file type that mknod(2) takes in the same argument.
std::uint32_t without_type(std::uint32_t requested);

// The derivation in one line: "0666 & ~0022 = 0644". Other rules are named:
// "0777 & ~0022, setgid-parent +2000 = 2755". Empty when there are no steps.
std::string derivation_line(const CreateEvent& event);

}  // namespace umaskaudit::render
