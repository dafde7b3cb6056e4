// A run as an SQLite database: tables of events, objects and findings, views for common questions.
// Must never keep rows in memory: they are inserted as they come, in one transaction.
#pragma once

#include "reporter/base/result.h"
#include "reporter/export/source.h"
#include "reporter/rules/find.h"

namespace umaskaudit::exports {

// Computes the findings, and tells of each object hit.
using FindAll =
    std::function<rules::FindResult(const std::function<void(const rules::Hit&)>& on_hit)>;

// Facts of the run that no event holds: name and value, all printable.
using RunFacts = std::vector<std::pair<std::string, std::string>>;

// Fills the existing empty file `path`.
Status export_sqlite(const reader::Run& run, analysis::StackCache& stacks, const FindAll& find,
                     const RunFacts& facts, const std::string& path);

}  // namespace umaskaudit::exports
