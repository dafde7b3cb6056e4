// Answers about a fleet as text, as one HTML page, and as JSON Lines.
// Must never let a byte of a lake reach a terminal or a page unescaped: its files come from other
// machines.
// Called by `fleet`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reporter/fleet/store.h"
#include "reporter/text/style.h"

namespace umaskaudit::fleet {

struct FleetHeading {
  std::string lake;  // raw bytes
  FleetStore::Extent extent;
  std::vector<std::string> notes;  // what is not in the answers; raw bytes
};

// A heading, then a table for each question: rows that were left out are counted. `width`: of the
// terminal, 0 where there is none.
std::string fleet_text(const FleetHeading& heading, const std::vector<Answer>& answers,
                       std::size_t width, Paint paint);
// The same as one page without scripts that needs no other file.
std::string fleet_html(const FleetHeading& heading, const std::vector<Answer>& answers);
// An object a row: {"question": NAME, and its columns}; numbers and booleans are such.
std::string fleet_json(const std::vector<Answer>& answers);

}  // namespace umaskaudit::fleet
