// `export --format otlp`: the run as the records of a service, to a stream or to a collector.
// Must never take half of a variable of the environment that it cannot read. Called by `export` and
// `run`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/export/otlp.h"
#include "reporter/live/live_ship.h"
#include "reporter/ship/endpoint.h"

namespace umaskaudit::commands {

// For --to and --live-to: the collector at a URL, or at that of the environment where it is empty.
Result<ship::Endpoint> endpoint_at(const std::string& url);

// Of who sends: "umaskaudit/VERSION".
std::string otlp_agent();

// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; warns of one that cannot be read, and goes on
// without it. `run` is left as it is.
exports::OtlpResource otlp_resource(Console& console);

// The same with the run: as `run` knew it when it began, so that what is sent while it is recorded
// and what is sent afterwards are of one resource.
exports::OtlpResource otlp_resource(const OpenedRun& opened, Console& console);

// The collectors among the words of --live-to, which are taken out; null: there is none. Error: one
// of them cannot be.
Result<std::unique_ptr<live::LiveShip>> ship_to(std::vector<std::string>* places, Console& console);

// Sends the run, and says on standard error how much. Returns the exit code: 2 where something did
// not arrive.
int send_otlp(OpenedRun& opened, const ship::Endpoint& endpoint, Console& console);

}  // namespace umaskaudit::commands
