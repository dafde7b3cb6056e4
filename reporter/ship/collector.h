// Where a collector of OpenTelemetry is, and how it wants to be spoken to: a URL, and the variables
// OTEL_EXPORTER_OTLP_... of the environment. Must never show a value that may be a secret, nor go
// on with half of one that it cannot read. Called by the commands that ship records.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "reporter/base/result.h"
#include "reporter/text/pair_list.h"

namespace umaskaudit {

struct Collector {
  std::string url;  // http or https, with its path
  PairList headers;
  std::chrono::milliseconds timeout{10000};  // of one request
  bool gzip = false;
  std::string authorities;  // a PEM file of those to trust; empty: the system's
};

// Empty, or what is wrong with a URL: a scheme that is not http or https, no host, a user or a
// password (others see our arguments), bytes that belong into no URL.
std::string check_collector_url(const std::string& url);

// The value of a variable, or null.
using Environment = std::function<const char*(const char*)>;

// `url`: one without a path is given /v1/logs. Empty: that of OTEL_EXPORTER_OTLP_LOGS_ENDPOINT as
// it is, of OTEL_EXPORTER_OTLP_ENDPOINT with /v1/logs behind it, or http://localhost:4318/v1/logs.
// Also read are ..._HEADERS, ..._TIMEOUT (milliseconds), ..._COMPRESSION (gzip, none) and
// ..._CERTIFICATE, each with OTLP_LOGS_ before OTLP_. Error: one of them makes no sense.
Result<Collector> find_collector(const std::string& url, const Environment& environment);

}  // namespace umaskaudit
