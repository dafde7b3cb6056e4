// The words that findings are made of, besides octal(), duration_text() and counted().
// Must never escape: messages hold the program's own bytes, the renderers escape them once.
#pragma once

#include <string>

#include "reporter/mode/notation.h"
#include "reporter/rules/finding.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::rules {

// "thread 'worker' (1234)".
std::string quoted_thread(const EventRef& event);
// Who did what a finding is about: the culprit's thread, or "30 processes of 'mkdir'".
std::string who_text(const Finding& finding);
// Those of `bits` that give access to an object of that kind: execute bits of what cannot be
// executed give none, and of a socket only the write bits count (unix(7): who connects needs write
// permission).
Mode effective(Mode bits, trace::Kind kind);
// Who may do what with the effective ones of `bits`: "others may read and write, the group may
// write", "the group and others may write"; empty when there are none.
std::string access_text(Mode bits, trace::Kind kind);
// The same as "others may now write" and as "others could write".
std::string now_text(Mode bits, trace::Kind kind);
std::string then_text(Mode bits, trace::Kind kind);
// "requested 0666; umask takes 0022: 0644".
std::string derivation_text(const CreateEvent& event);

}  // namespace umaskaudit::rules
