// See otlp_attributes.h. Integers are of 64 bits, and therefore strings in JSON.
#include "reporter/export/otlp_attributes.h"

#include "reporter/mode/notation.h"
#include "reporter/text/escape.h"

namespace umaskaudit::exports {
namespace {

// A key beside `key` that no convention has.
std::string beside(std::string_view key, const char* suffix) {
  constexpr std::string_view kOurs = "umaskaudit.";
  std::string name(key.starts_with(kOurs) ? "" : kOurs);
  return name.append(key).append(suffix);
}

}  // namespace

void OtlpAttributes::begin(std::string_view key) {
  json_.begin_object();
  json_.text("key", key);
  json_.begin_object("value");
}

void OtlpAttributes::end() {
  json_.end_object();
  json_.end_object();
}

void OtlpAttributes::text(std::string_view key, std::string_view value) {
  begin(key);
  json_.text("stringValue", value);
  end();
}

void OtlpAttributes::bytes(std::string_view key, std::string_view value) {
  text(key, value);
  if (valid_utf8(value)) return;
  begin(beside(key, "_bytes"));
  json_.text("bytesValue", base64(value));
  end();
}

void OtlpAttributes::number(std::string_view key, std::uint64_t value) {
  begin(key);
  json_.text("intValue", std::to_string(static_cast<std::int64_t>(value)));
  end();
}

void OtlpAttributes::boolean(std::string_view key, bool value) {
  begin(key);
  json_.boolean("boolValue", value);
  end();
}

void OtlpAttributes::mode(std::string_view key, std::uint32_t bits) {
  text(key, octal(bits));
  number(beside(key, "_bits"), bits);
}

void otlp_text_value(JsonWriter& json, std::string_view key, std::string_view value) {
  json.begin_object(key);
  json.text("stringValue", value);
  json.end_object();
}

}  // namespace umaskaudit::exports
