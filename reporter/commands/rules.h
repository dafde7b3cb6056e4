// What `explain RULE` prints.
#pragma once

#include "reporter/base/console.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {

int explain_rule(const RuleInfo& rule, Console& console);

}  // namespace umaskaudit
