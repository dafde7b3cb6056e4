// What `explain RULE` prints; JSON as `rules` does of each rule.
#pragma once

#include "reporter/base/console.h"
#include "reporter/commands/twin_format.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {

int explain_rule(const RuleInfo& rule, TwinFormat format, Console& console);

}  // namespace umaskaudit
