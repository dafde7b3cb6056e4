// Endpoint: the URL of a collector of OpenTelemetry and the settings of requests to it, from the
// command line and from the variables OTEL_EXPORTER_OTLP_... of the environment. Must never show a
// value, which may be a secret, nor use a part of one that it cannot parse.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "reporter/base/result.h"
#include "reporter/text/pair_list.h"

namespace umaskaudit::ship {

struct Endpoint {
  std::string url;  // http or https, with its path
  PairList headers;
  std::chrono::milliseconds timeout{10000};  // of one request
  bool gzip = false;
  std::string authorities;  // a PEM file of those to trust; empty: the system's
};

// Empty, or what is wrong with a URL: a scheme that is not http or https, no host, a user or a
// password (others see our arguments), bytes that belong into no URL.
std::string check_endpoint_url(const std::string& url);

// The value of a variable, or null.
using Environment = std::function<const char*(const char*)>;

// `url`: one without a path is given /v1/logs. Empty: that of OTEL_EXPORTER_OTLP_LOGS_ENDPOINT as
// it is, of OTEL_EXPORTER_OTLP_ENDPOINT with /v1/logs behind it, or http://localhost:4318/v1/logs.
// Also read are ..._HEADERS, ..._TIMEOUT (milliseconds), ..._COMPRESSION (gzip, none) and
// ..._CERTIFICATE, each with OTLP_LOGS_ before OTLP_. Error: one of them makes no sense.
Result<Endpoint> find_endpoint(const std::string& url, const Environment& environment);

}  // namespace umaskaudit::ship
