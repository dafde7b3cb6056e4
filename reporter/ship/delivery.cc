#include "reporter/ship/delivery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace umaskaudit::ship {
namespace {

constexpr std::chrono::milliseconds kFirstPause{250}, kLongestPause{16000};
constexpr std::size_t kMostMessage = 500;

std::string cut(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() <= kMostMessage) return text;
  text.resize(kMostMessage);
  return text + "...";
}

// A member of an object, or null. Protobuf's JSON leaves out what has its default value.
const nlohmann::json* member(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// An int64 of protobuf: a string, or a number.
std::uint64_t count_in(const nlohmann::json& value) {
  if (value.is_number_integer()) return std::max<std::int64_t>(value.get<std::int64_t>(), 0);
  if (!value.is_string()) return 0;
  const std::string text = value.get<std::string>();
  const bool digits = !text.empty() && text.size() < 19 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoull(text) : 0;
}

std::string text_in(const nlohmann::json* value) {
  return value != nullptr && value->is_string() ? cut(value->get<std::string>()) : "";
}

Delivery taken(const std::string& body, std::uint64_t records) {
  Delivery delivery;
  const nlohmann::json document = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json* partial = member(document, "partialSuccess");
  if (partial == nullptr) return delivery;
  if (const nlohmann::json* count = member(*partial, "rejectedLogRecords"))
    delivery.rejected = std::min(count_in(*count), records);
  delivery.message = text_in(member(*partial, "errorMessage"));
  return delivery;
}

// A google.rpc.Status in JSON, or whatever a proxy says.
std::string message_of(const HttpAnswer& answer) {
  const nlohmann::json document = nlohmann::json::parse(answer.body, nullptr, false);
  const std::string message = document.is_discarded() ? cut(answer.body.substr(0, 2 * kMostMessage))
                                                      : text_in(member(document, "message"));
  return "HTTP " + std::to_string(answer.status) + (message.empty() ? "" : ": " + message);
}

}  // namespace

Delivery judge_answer(const HttpAnswer& answer, std::uint64_t records) {
  const long status = answer.status;
  if (status == 0)
    return {answer.temporary ? DeliveryOutcome::again : DeliveryOutcome::refused, 0,
            answer.trouble};
  if (status >= 200 && status < 300) return taken(answer.body, records);
  const bool again = status == 429 || status == 502 || status == 503 || status == 504;
  return {again ? DeliveryOutcome::again : DeliveryOutcome::refused, 0, message_of(answer)};
}

std::chrono::milliseconds pause_before_retry(unsigned tries,
                                             const std::optional<std::chrono::seconds>& asked_for,
                                             std::uint32_t random) {
  if (asked_for) return std::min<std::chrono::seconds>(*asked_for, std::chrono::hours(24));
  const unsigned doublings = std::min(std::max(tries, 1u) - 1, 16u);
  const auto pause = std::min(kFirstPause * (1u << doublings), kLongestPause);
  return pause / 2 + std::chrono::milliseconds(random % static_cast<std::uint32_t>(pause.count()));
}

}  // namespace umaskaudit::ship
