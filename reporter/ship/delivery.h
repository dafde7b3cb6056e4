// What the answer to a request of OTLP means, and when to try again: OTLP specification, "Failures"
// and "OTLP/HTTP Response". Must never ask for a second time where a collector would refuse again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "reporter/ship/http_client.h"

namespace umaskaudit::ship {

enum class DeliveryOutcome : std::uint8_t {
  taken,    // but for `rejected` records
  again,    // later
  refused,  // for good
};

struct Delivery {
  DeliveryOutcome outcome = DeliveryOutcome::taken;
  std::uint64_t rejected = 0;
  std::string message;  // of the collector, or why there is none; raw bytes; may be empty
};

// `records`: how many were in the request.
Delivery judge_answer(const HttpAnswer& answer, std::uint64_t records);

// Before the try that follows try `tries` (1, 2, ...): what the collector asked for, else from a
// quarter of a second on twice as long each time, 16 seconds at most, and by chance up to half of
// that more or less: many that lost one collector do not come back at once. `random`: any number.
std::chrono::milliseconds pause_before_retry(unsigned tries,
                                             const std::optional<std::chrono::seconds>& asked_for,
                                             std::uint32_t random);

}  // namespace umaskaudit::ship
