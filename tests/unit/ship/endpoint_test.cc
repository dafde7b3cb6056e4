// URLs and variables of the environment: what is taken, what is an error.
#include "reporter/ship/endpoint.h"

#include <gtest/gtest.h>

#include <map>

namespace umaskaudit::ship {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Endpoint> find(const std::string& url, const Variables& variables) {
  return find_endpoint(url, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Endpoint, UrlsThatAreTaken) {
  for (const char* url : {"http://h", "https://h:4318/v1/logs", "http://[::1]:4318", "http://h?a=b",
                          "http://127.0.0.1:1/x%20y"})
    EXPECT_EQ(check_endpoint_url(url), "") << url;
}

TEST(Endpoint, UrlsThatAreNot) {
  for (const char* url :
       {"", "h:4318", "ftp://h", "http:/h", "HTTP://h", "http://", "http://:1",
        "http://h:", "http://h:0", "http://h:65536", "http://h:1x", "http://[::1", "http://[::1]x",
        "http://u@h", "http://h /", "http://h\n/", "http://h\\x", "http://h\xff/"})
    EXPECT_NE(check_endpoint_url(url), "") << url;
}

TEST(Endpoint, APathIsAddedWhereThereIsNone) {
  EXPECT_EQ(find("http://h:1", {})->url, "http://h:1/v1/logs");
  EXPECT_EQ(find("http://h:1/", {})->url, "http://h:1/v1/logs");
  EXPECT_EQ(find("http://h:1/x", {})->url, "http://h:1/x");
}

TEST(Endpoint, TheEndpointOfTheEnvironment) {
  EXPECT_EQ(find("", {})->url, "http://localhost:4318/v1/logs");
  EXPECT_EQ(find("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}})->url, "http://localhost:4318/v1/logs");
  EXPECT_EQ(find("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/a"}})->url, "http://h/a/v1/logs");
  EXPECT_EQ(find("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/a/"}})->url, "http://h/a/v1/logs");
  EXPECT_EQ(find("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/a"},
                      {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://l/b"}})
                ->url,
            "http://l/b");
  EXPECT_FALSE(find("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "h"}}));
  // One that is given is all that counts.
  EXPECT_EQ(find("http://g/x", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "h"}})->url, "http://g/x");
}

TEST(Endpoint, HeadersTimeoutCompressionAuthorities) {
  const Result<Endpoint> plain = find("http://h", {});
  EXPECT_TRUE(plain->headers.empty());
  EXPECT_EQ(plain->timeout.count(), 10000);
  EXPECT_FALSE(plain->gzip);
  const Result<Endpoint> all = find("http://h", {{"OTEL_EXPORTER_OTLP_HEADERS", "a=b%20c"},
                                                 {"OTEL_EXPORTER_OTLP_TIMEOUT", "5"},
                                                 {"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "7"},
                                                 {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
                                                 {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/x"}});
  EXPECT_EQ(all->headers, (PairList{{"a", "b c"}}));
  EXPECT_EQ(all->timeout.count(), 7);
  EXPECT_TRUE(all->gzip);
  EXPECT_EQ(all->authorities, "/x");
}

TEST(Endpoint, ValuesThatMakeNoSenseAndAreNotShown) {
  for (const auto& [name, value] : {std::pair{"HEADERS", "secret"},
                                    {"HEADERS", "a b=secret"},
                                    {"HEADERS", "a%0a=secret"},
                                    {"HEADERS", "a=secret%0d%0ab: c"},
                                    {"HEADERS", "a=secret%00"},
                                    {"TIMEOUT", "0"},
                                    {"TIMEOUT", "-1"},
                                    {"TIMEOUT", "1s"},
                                    {"TIMEOUT", "99999999999999999999"},
                                    {"COMPRESSION", "zstd"}}) {
    const Result<Endpoint> found =
        find("http://h", {{std::string("OTEL_EXPORTER_OTLP_") + name, value}});
    ASSERT_FALSE(found) << name << '=' << value;
    EXPECT_EQ(found.error().code, ExitCode::usage);
    EXPECT_EQ((found.error().what + found.error().why).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace umaskaudit::ship
