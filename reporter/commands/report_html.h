// `report --format html`: the run as one page.
// Must never hold more of a run than the page's tables: objects are streamed.
#pragma once

#include "reporter/analysis/summary.h"
#include "reporter/commands/run_arguments.h"

namespace umaskaudit::commands {

// `options.limit` counts when `limit_given`; 0 means no limit then.
void write_html(OpenedRun& opened, const analysis::SummaryOptions& options, bool limit_given,
                const Output& output);

}  // namespace umaskaudit::commands
