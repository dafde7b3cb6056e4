// See http_client.h. SIGPIPE: the sender's thread takes no signal, so that OpenSSL's write(2) to a
// connection that is gone fails with EPIPE.
#define CURL_DISABLE_TYPECHECK 1
#include "reporter/ship/http_client.h"

#include <fcntl.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "reporter/base/compressed_buffer.h"
#include "reporter/ship/curl_library.h"

namespace umaskaudit::ship {
namespace {

constexpr std::size_t kMostAnswer = 64 << 10;

std::size_t keep(char* bytes, std::size_t, std::size_t count, void* to) {
  auto* body = static_cast<std::string*>(to);
  body->append(bytes, std::min(count, kMostAnswer - body->size()));
  return count;  // the rest is read and forgotten
}

// Whether there was a Retry-After: CURLINFO_RETRY_AFTER(3) is 0 with and without one of 0.
std::size_t look(char* bytes, std::size_t, std::size_t count, void* seen) {
  constexpr std::string_view kName = "retry-after:";
  const std::string_view line(bytes, count);
  if (line.size() >= kName.size() && strncasecmp(bytes, kName.data(), kName.size()) == 0)
    *static_cast<bool*>(seen) = true;
  return count;
}

// libcurl's own lacks SOCK_CLOEXEC.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int ask(void* give_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(give_up))() ? 1 : 0;
}

// OTLP: what happened to the connection, not to what was sent.
bool is_temporary(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
      return true;
    default:
      return false;
  }
}

std::string compressed(const std::string& text) {
  std::stringbuf out;
  const std::unique_ptr<CompressedBuffer> gzip = CompressedBuffer::for_name("body.gz", out);
  gzip->sputn(text.data(), static_cast<std::streamsize>(text.size()));
  gzip->finish();
  return out.str();
}

}  // namespace

struct HttpClient::State {
  State(const CurlLibrary& library, const Endpoint& to) : curl(library), gzip(to.gzip) {}
  ~State() {
    if (handle != nullptr) curl.easy_cleanup(handle);
    curl.slist_free_all(headers);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl.easy_setopt(handle, option, value);
  }
  void add_header(const std::string& line) { headers = curl.slist_append(headers, line.c_str()); }

  const CurlLibrary& curl;
  const bool gzip;
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::open(const Endpoint& endpoint,
                                                     const std::string& agent) {
  const Result<const CurlLibrary*> curl = CurlLibrary::get();
  if (!curl) return curl.error();
  if (const std::string& file = endpoint.authorities; access(file.c_str(), R_OK) != 0)
    if (!file.empty())
      return Error{"cannot read '" + file + "'", "OTEL_EXPORTER_OTLP_CERTIFICATE names it", "",
                   ExitCode::usage};
  auto state = std::make_unique<State>(**curl, endpoint);
  state->handle = (*curl)->easy_init();
  if (state->handle == nullptr)
    return Error{"cannot send anything", "libcurl cannot be used", "", ExitCode::internal};
  state->add_header("Content-Type: application/json");
  if (endpoint.gzip) state->add_header("Content-Encoding: gzip");
  state->add_header(
      "Expect:");  // else libcurl asks first, and waits a second for those who are mute
  for (const auto& [name, value] : endpoint.headers)
    // "NAME;" is libcurl's way to send an empty one.
    state->add_header(value.empty() ? name + ";" : name + ": " + value);
  state->set(CURLOPT_URL, endpoint.url.c_str());
  state->set(CURLOPT_HTTPHEADER, state->headers);
  state->set(CURLOPT_USERAGENT, agent.c_str());
  state->set(CURLOPT_POST, 1L);
  state->set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  state->set(CURLOPT_NOSIGNAL, 1L);
  state->set(CURLOPT_PROXY, "");  // not that of http_proxy, ALL_PROXY and the like
  state->set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  state->set(CURLOPT_WRITEFUNCTION, &keep);
  state->set(CURLOPT_HEADERFUNCTION, &look);
  state->set(CURLOPT_XFERINFOFUNCTION, &ask);
  state->set(CURLOPT_NOPROGRESS, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
  // Else giving up waits for a name server that does not answer.
  state->set(CURLOPT_QUICK_EXIT, 1L);
#endif
  if (!endpoint.authorities.empty()) state->set(CURLOPT_CAINFO, endpoint.authorities.c_str());
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

HttpAnswer HttpClient::post(const std::string& body, std::chrono::milliseconds limit,
                            const std::function<bool()>& give_up) {
  State& state = *state_;
  const std::string sent = state.gzip ? compressed(body) : "";
  const std::string& bytes = state.gzip ? sent : body;
  HttpAnswer answer;
  state.set(CURLOPT_POSTFIELDS, bytes.c_str());
  state.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
  state.set(CURLOPT_TIMEOUT_MS, std::max<long>(static_cast<long>(limit.count()), 1));
  bool asked_to_wait = false;
  state.set(CURLOPT_WRITEDATA, &answer.body);
  state.set(CURLOPT_HEADERDATA, &asked_to_wait);
  state.set(CURLOPT_XFERINFODATA, &give_up);
  const CURLcode code = state.curl.easy_perform(state.handle);
  if (code != CURLE_OK) {
    answer.trouble = state.curl.easy_strerror(code);
    answer.temporary = is_temporary(code);
    return answer;
  }
  state.curl.easy_getinfo(state.handle, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  if (asked_to_wait &&
      state.curl.easy_getinfo(state.handle, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK)
    answer.retry_after = std::chrono::seconds(seconds);
  return answer;
}

}  // namespace umaskaudit::ship
