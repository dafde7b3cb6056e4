// The protocol between the reporter and its symbolizing child: a 32-bit length, then the payload.
// Must never trust the child: the file that it reads may have exploited libdw.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/symbolize/location.h"

namespace umaskaudit::symbolize {

struct ModuleQuery {
  ModuleKey key;
  std::vector<std::uint64_t> addresses;
};

// Longer payloads are refused by receive_message.
inline constexpr std::uint32_t kMaxMessage = 64u << 20;

std::string encode_request(const ModuleKey& key, std::span<const std::uint64_t> addresses);
std::optional<ModuleQuery> decode_request(std::string_view bytes);

// Strings are cut at 16 KiB and places at 256 an address. decode_answer returns nothing for bytes
// that are no answer for `addresses` addresses.
std::string encode_answer(const ModulePlaces& answer);
std::optional<ModulePlaces> decode_answer(std::string_view bytes, std::size_t addresses);

// Writes one message to a stream socket; false when the other end is gone. Raises no SIGPIPE.
bool send_message(int socket, std::string_view payload);

// Reads one message. Nothing is returned at the end of the stream, for a length above kMaxMessage,
// or when `timeout_ms` (-1: never) passes without a byte.
std::optional<std::string> receive_message(int socket, int timeout_ms);

}  // namespace umaskaudit::symbolize
