// A run as JSON Lines with the field names of Elastic Common Schema 8.11, for log fleets.
// Must never put a value under an ECS name that ECS defines otherwise: ours are below "umaskaudit".
#pragma once

#include "reporter/export/source.h"

namespace umaskaudit::exports {

// One object an event, then one alert a finding.
void export_ecs(const ExportSource& source, const TextSink& sink);

}  // namespace umaskaudit::exports
