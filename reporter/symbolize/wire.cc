#include "reporter/symbolize/wire.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace umaskaudit::symbolize {
namespace {

constexpr std::size_t kMaxString = 16384;
constexpr std::size_t kMaxPlaces = 256;
constexpr std::size_t kReadStep = 65536;

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_string(std::string& out, const std::string& text) {
  const std::size_t size = std::min(text.size(), kMaxString);
  put(out, static_cast<std::uint32_t>(size));
  out.append(text, 0, size);
}

// Takes values off the front; after a missing one, `ok` stays false.
struct Reader {
  std::string_view rest;
  bool ok = true;

  template <typename T>
  T get() {
    T value{};
    if (rest.size() < sizeof value) {
      ok = false;
      return value;
    }
    std::memcpy(&value, rest.data(), sizeof value);
    rest.remove_prefix(sizeof value);
    return value;
  }

  std::string get_string() {
    const auto size = get<std::uint32_t>();
    if (!ok || size > kMaxString || size > rest.size()) {
      ok = false;
      return "";
    }
    std::string text(rest.substr(0, size));
    rest.remove_prefix(size);
    return text;
  }
};

// 0 at the end of the stream, after an error, and at the timeout.
std::size_t receive_some(int socket, char* to, std::size_t size, int timeout_ms) {
  pollfd watched{socket, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&watched, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return 0;
  ssize_t got = 0;
  do {
    got = recv(socket, to, size, 0);
  } while (got < 0 && errno == EINTR);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace

std::string encode_request(const ModuleKey& key, std::span<const std::uint64_t> addresses) {
  std::string out;
  put_string(out, key.path);
  put_string(out, key.build_id);
  for (const std::uint64_t address : addresses) put(out, address);
  return out;
}

std::optional<ModuleQuery> decode_request(std::string_view bytes) {
  Reader in{bytes};
  ModuleQuery request;
  request.key.path = in.get_string();
  request.key.build_id = in.get_string();
  if (!in.ok || in.rest.size() % sizeof(std::uint64_t) != 0) return std::nullopt;
  request.addresses.reserve(in.rest.size() / sizeof(std::uint64_t));
  while (!in.rest.empty()) request.addresses.push_back(in.get<std::uint64_t>());
  return request;
}

std::string encode_answer(const ModulePlaces& answer) {
  std::string out;
  put_string(out, answer.note);
  for (const Places& places : answer.places) {
    const std::size_t count = std::min(places.size(), kMaxPlaces);
    put(out, static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      put_string(out, places[i].symbol);
      put_string(out, places[i].file);
      put_string(out, places[i].language);
      put(out, places[i].line);
      put(out, static_cast<std::uint8_t>(places[i].inlined));
    }
  }
  return out;
}

std::optional<ModulePlaces> decode_answer(std::string_view bytes, std::size_t addresses) {
  Reader in{bytes};
  ModulePlaces answer;
  answer.note = in.get_string();
  while (in.ok && answer.places.size() < addresses) {
    const auto count = in.get<std::uint32_t>();
    if (count > kMaxPlaces) return std::nullopt;
    Places& places = answer.places.emplace_back();
    for (std::uint32_t i = 0; i < count && in.ok; ++i) {
      Location& place = places.emplace_back();
      place.symbol = in.get_string();
      place.file = in.get_string();
      place.language = in.get_string();
      place.line = in.get<std::uint32_t>();
      place.inlined = in.get<std::uint8_t>() != 0;
    }
  }
  if (!in.ok || !in.rest.empty()) return std::nullopt;
  return answer;
}

bool send_message(int socket, std::string_view payload) {
  std::string message;
  message.reserve(sizeof(std::uint32_t) + payload.size());
  put(message, static_cast<std::uint32_t>(payload.size()));
  message += payload;
  std::string_view rest = message;
  while (!rest.empty()) {
    const ssize_t sent = send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> receive_message(int socket, int timeout_ms) {
  char head[sizeof(std::uint32_t)];
  for (std::size_t have = 0; have < sizeof head;) {
    const std::size_t got = receive_some(socket, head + have, sizeof head - have, timeout_ms);
    if (got == 0) return std::nullopt;
    have += got;
  }
  std::uint32_t size = 0;
  std::memcpy(&size, head, sizeof size);
  if (size > kMaxMessage) return std::nullopt;
  // Grows with the bytes that arrive, not with the announced length.
  std::string payload;
  while (payload.size() < size) {
    const std::size_t have = payload.size();
    payload.resize(have + std::min<std::size_t>(size - have, kReadStep));
    const std::size_t got =
        receive_some(socket, payload.data() + have, payload.size() - have, timeout_ms);
    if (got == 0) return std::nullopt;
    payload.resize(have + got);
  }
  return payload;
}

}  // namespace umaskaudit::symbolize
