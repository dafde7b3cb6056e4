// One connection to one collector, by libcurl: a POST and its answer.
// Must never follow a redirection, take a proxy from the environment, read a file of passwords,
// hand a descriptor on to a program, or keep more of an answer than a message has. Called by the
// sender.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "reporter/base/result.h"
#include "reporter/ship/endpoint.h"

namespace umaskaudit::ship {

struct HttpAnswer {
  long status = 0;                                  // 0: there is none
  std::string body;                                 // its first 64 KiB
  std::string trouble;                              // why there is none, in words of libcurl
  bool temporary = false;                           // that may be otherwise in a while
  std::optional<std::chrono::seconds> retry_after;  // the header; at least 0
};

class HttpClient {
 public:
  // Loads libcurl. Not thread-safe; the client may be used by one thread afterwards, any one.
  // `agent`: "NAME/VERSION". Error: there is no libcurl.
  static Result<std::unique_ptr<HttpClient>> open(const Endpoint& endpoint,
                                                  const std::string& agent);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends `body` as JSON, and waits `limit` at most. `give_up` is asked about once a second.
  HttpAnswer post(const std::string& body, std::chrono::milliseconds limit,
                  const std::function<bool()>& give_up);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::ship
