// Ids by which a record is known again, wherever and however often it is written: a UUID of its
// content (RFC 9562, version 8). Must never depend on the order or the number of what was read
// before. Called by the OTLP exporter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit::exports {

// Not cryptographic: who can choose what is added can make two ids equal.
class RecordId {
 public:
  RecordId& add(std::uint64_t value);
  RecordId& add(std::string_view bytes);
  bool operator==(const RecordId&) const = default;
  // "01234567-89ab-8def-8123-456789abcdef"
  std::string text() const;

 private:
  std::uint64_t high_ = 0x243f6a8885a308d3, low_ = 0x13198a2e03707344;  // digits of pi
};

}  // namespace umaskaudit::exports
