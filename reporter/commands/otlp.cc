#include "reporter/commands/otlp.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/ship/sender.h"
#include "reporter/text/escape.h"
#include "reporter/text/pair_list.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kAhead =
    4 * exports::kOtlpMostBytes;  // of requests beside the one that is sent
constexpr int kPatience = 6;      // timeouts of one request

}  // namespace

Result<ship::Endpoint> endpoint_at(const std::string& url) {
  return ship::find_endpoint(url, [](const char* name) { return std::getenv(name); });
}

std::string otlp_agent() { return "umaskaudit/" UMASKAUDIT_VERSION; }

exports::OtlpResource otlp_resource(Console& console) {
  exports::OtlpResource resource;
  if (const char* service = std::getenv("OTEL_SERVICE_NAME")) resource.service = service;
  const char* text = std::getenv("OTEL_RESOURCE_ATTRIBUTES");
  const auto pairs = parse_pairs(text == nullptr ? "" : text);
  if (!pairs) warn(console, "OTEL_RESOURCE_ATTRIBUTES is no list of NAME=VALUE and is left out");
  std::map<std::string, std::string> attributes;  // of two with one name the latter
  for (const auto& [name, value] : pairs.value_or(PairList{})) attributes[name] = value;
  if (!resource.service.empty()) attributes.erase("service.name");
  resource.attributes.assign(attributes.begin(), attributes.end());
  return resource;
}

exports::OtlpResource otlp_resource(const OpenedRun& opened, Console& console) {
  exports::OtlpResource resource = otlp_resource(console);
  resource.run = opened.run_line();
  if (const auto& record = opened.record()) {
    resource.run.program = record->command;
    resource.run.started_real_ns = record->start_real_ns;
  }
  return resource;
}

Result<std::unique_ptr<live::LiveShip>> ship_to(std::vector<std::string>* places,
                                                Console& console) {
  std::vector<ship::Endpoint> endpoints;
  for (const std::string& word : *places) {
    if (!live::is_collector(word)) continue;
    Result<ship::Endpoint> endpoint = endpoint_at(live::collector_url(word));
    if (!endpoint) return endpoint.error();
    const bool again = std::any_of(endpoints.begin(), endpoints.end(),
                                   [&](const auto& known) { return known.url == endpoint->url; });
    if (!again) endpoints.push_back(std::move(*endpoint));
  }
  std::erase_if(*places, live::is_collector);
  if (endpoints.empty()) return std::unique_ptr<live::LiveShip>();
  return live::LiveShip::open(endpoints, otlp_agent(), otlp_resource(console));
}

int send_otlp(OpenedRun& opened, const ship::Endpoint& endpoint, Console& console) {
  const exports::OtlpResource resource = otlp_resource(opened, console);
  const Result<std::unique_ptr<ship::Sender>> sender =
      ship::Sender::open(endpoint, otlp_agent(), {kAhead, kPatience * endpoint.timeout});
  if (!sender) return fail(console, sender.error());
  const rules::FindResult& result = opened.findings();
  const exports::ExportSource source{opened.run(), opened.stacks(), result.findings,
                                     opened.unaudited()};
  (*sender)->start();
  exports::export_otlp(source, resource, [&](std::string request, std::size_t records) {
    return (*sender)->put(std::move(request), records);
  });
  (*sender)->end_in({});
  const ship::Shipped shipped = (*sender)->finish();
  const std::uint64_t arrived = shipped.given - shipped.lost();
  if (shipped.lost() != 0)
    return fail(console,
                {"cannot send all to '" + endpoint.url + "'",
                 shipped.trouble + "; " + grouped(arrived) + " records arrived",
                 "again, which doubles nothing: log.record.uid stays the same", ExitCode::usage});
  if (!shipped.warning.empty()) warn(console, "the collector says: " + shipped.warning);
  if (console.verbosity != Verbosity::quiet)
    console.err << "umaskaudit: sent " + grouped(arrived) + " records to " + escape(endpoint.url) +
                       '\n';
  return 0;
}

}  // namespace umaskaudit::commands
