// The words that findings are made of.
// Must never escape: messages hold the program's own bytes, the renderers escape them once.
// Called by the checks.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// "0022".
std::string octal_text(Mode bits);
// "850 ns", "12.3 us", "4.56 ms", "1.23 s", "2 min 05 s".
std::string duration_text(std::uint64_t ns);
// "thread 'worker' (1234)".
std::string thread_text(const EventRef& event);
// "1 object", "20000 objects".
std::string count_text(std::uint64_t count, const char* singular);
// Who may do what with `bits` that should not: "others may read and write, the group may write".
std::string access_text(Mode bits, trace::Kind kind);
// "requested 0666; umask takes 0022: 0644".
std::string derivation_text(const CreateEvent& event);

}  // namespace umaskaudit::rules
