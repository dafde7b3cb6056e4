// The description of one rule, as `explain RULE` prints it: as text, or as `rules` has it in JSON.
#pragma once

#include "reporter/base/console.h"
#include "reporter/commands/twin_format.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::commands {

int explain_rule(const rules::RuleInfo& rule, TwinFormat format, Console& console);

}  // namespace umaskaudit::commands
