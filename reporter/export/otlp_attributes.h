// Attributes as OTLP's JSON has them: an array of {"key": ..., "value": {TYPE: ...}}, by the JSON
// mapping of protobuf. Must never write what is no UTF-8: such bytes stand in an attribute of their
// own beside the text. Called by the OTLP exporter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reporter/text/json_writer.h"

namespace umaskaudit::exports {

// Between begin_array() and end_array() of `json`. Keys are ours: plain ASCII.
class OtlpAttributes {
 public:
  explicit OtlpAttributes(JsonWriter& json) : json_(json) {}

  void text(std::string_view key, std::string_view value);
  // Text of the audited program; where it is not UTF-8, its bytes in "umaskaudit.KEY_bytes" too.
  void bytes(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint64_t value);
  void boolean(std::string_view key, bool value);
  // "0644", and the number below "KEY_bits", or "umaskaudit.KEY_bits" for a key that is not ours.
  void mode(std::string_view key, std::uint32_t bits);

 private:
  void begin(std::string_view key);
  void end();

  JsonWriter& json_;
};

// {"stringValue": "..."} below `key`: what a body is.
void otlp_text_value(JsonWriter& json, std::string_view key, std::string_view value);

}  // namespace umaskaudit::exports
