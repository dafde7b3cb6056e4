// See collector.h. The variables: OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
#include "reporter/ship/endpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace umaskaudit::ship {
namespace {

constexpr char kDefault[] = "http://localhost:4318";
constexpr char kPath[] = "/v1/logs";

// The part behind "scheme://", or nothing for another scheme.
std::optional<std::string_view> behind_scheme(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  return std::nullopt;
}

std::string_view authority_of(std::string_view rest) {
  return rest.substr(0, rest.find_first_of("/?#"));
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65536;
}

// "name:port", "127.0.0.1", "[::1]:4318".
bool is_place(std::string_view authority) {
  const bool bracket = authority.starts_with('[');
  const std::size_t host_end = bracket ? authority.find(']') : authority.find(':');
  if (bracket && host_end == authority.npos) return false;
  const std::string_view host =
      bracket ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (host.empty()) return false;
  const std::string_view rest =
      host_end == authority.npos ? "" : authority.substr(host_end + (bracket ? 1 : 0));
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

// A variable of this signal, or else the one of all signals; the name that had a value.
struct Variable {
  std::string name, value;
};
Variable variable(const Environment& environment, const char* what) {
  for (const char* prefix : {"OTEL_EXPORTER_OTLP_LOGS_", "OTEL_EXPORTER_OTLP_"}) {
    const std::string name = std::string(prefix) + what;
    const char* value = environment(name.c_str());
    if (value != nullptr && *value != '\0') return {name, value};  // an empty one counts as unset
  }
  return {};
}

Error makes_no_sense(const Variable& variable, std::string why, std::string hint) {
  return {variable.name + " makes no sense", std::move(why), std::move(hint), ExitCode::usage};
}

// Names are tokens (RFC 9110, 5.6.2); a line break in a value would begin another header.
bool is_header(const std::pair<std::string, std::string>& header) {
  constexpr char kToken[] =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const auto control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
  return header.first.find_first_not_of(kToken) == std::string::npos &&
         std::none_of(header.second.begin(), header.second.end(), control);
}

Result<std::string> url_in(const Environment& environment) {
  const Variable given = variable(environment, "ENDPOINT");
  if (given.name.empty()) return kDefault + std::string(kPath);
  if (const std::string wrong = check_endpoint_url(given.value); !wrong.empty())
    return makes_no_sense(given, wrong, "http://HOST:4318");
  if (given.name.find("_LOGS_") != std::string::npos) return given.value;
  return given.value + (given.value.ends_with('/') ? kPath + 1 : kPath);
}

}  // namespace

std::string check_endpoint_url(const std::string& url) {
  const auto odd = [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == '\\' || c == '"'; };
  if (std::any_of(url.begin(), url.end(), odd)) return "a URL has no such characters";
  const std::optional<std::string_view> rest = behind_scheme(url);
  if (!rest) return "a URL of a collector begins with http:// or https://";
  const std::string_view authority = authority_of(*rest);
  if (authority.find('@') != authority.npos)
    return "a password in a URL is seen by others; OTEL_EXPORTER_OTLP_HEADERS hides it";
  if (!is_place(authority)) return "no host, or no such port";
  return "";
}

Result<Endpoint> find_endpoint(const std::string& url, const Environment& environment) {
  Endpoint endpoint;
  endpoint.url = url;
  if (url.empty()) {
    const Result<std::string> found = url_in(environment);
    if (!found) return found.error();
    endpoint.url = *found;
  } else if (const std::string wrong = check_endpoint_url(url); !wrong.empty()) {
    return Error{"cannot send to '" + url + "'", wrong, "http://HOST:4318", ExitCode::usage};
  } else {
    const std::string_view rest = *behind_scheme(url);
    const std::string_view path = rest.substr(authority_of(rest).size());
    if (path.empty() || path == "/") endpoint.url += path.empty() ? kPath : kPath + 1;
  }
  if (const Variable given = variable(environment, "HEADERS"); !given.name.empty()) {
    const std::optional<PairList> headers = parse_pairs(given.value);
    if (!headers || !std::all_of(headers->begin(), headers->end(), is_header))
      return makes_no_sense(given, "it is no list of NAME=VALUE", "");
    endpoint.headers = *headers;
  }
  if (const Variable given = variable(environment, "TIMEOUT"); !given.name.empty()) {
    unsigned ms = 0;
    const char* end = given.value.data() + given.value.size();
    const auto [at, error] = std::from_chars(given.value.data(), end, ms);
    if (error != std::errc{} || at != end || ms == 0 || ms > 3'600'000)
      return makes_no_sense(given, "it is no number of milliseconds", "10000");
    endpoint.timeout = std::chrono::milliseconds(ms);
  }
  if (const Variable given = variable(environment, "COMPRESSION"); !given.name.empty()) {
    endpoint.gzip = given.value == "gzip";
    if (!endpoint.gzip && given.value != "none")
      return makes_no_sense(given, "'" + given.value + "' is no compression that we have",
                            "gzip or none");
  }
  endpoint.authorities = variable(environment, "CERTIFICATE").value;
  return endpoint;
}

}  // namespace umaskaudit::ship
