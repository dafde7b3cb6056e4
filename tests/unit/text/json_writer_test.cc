// JSON texts: what is written at once is what is written byte by byte (RFC 8259).
#include "reporter/text/json_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace umaskaudit::testing {
namespace {

std::string member(const std::string& value) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.bytes("key", value);
  json.end_object();
  return out;
}

TEST(JsonWriter, FindsEachByteThatNeedsAnEscape) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (int byte = 0; byte < 0x80; ++byte) {
      std::string value(20, 'a');
      value[at] = static_cast<char>(byte);
      std::string shown(1, static_cast<char>(byte));
      if (byte == '"' || byte == '\\') shown = std::string("\\") + static_cast<char>(byte);
      if (byte < 0x20 || byte == 0x7F) {
        constexpr char kHex[] = "0123456789abcdef";
        shown = std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
      }
      if (byte == '\n') shown = "\\n";
      if (byte == '\r') shown = "\\r";
      if (byte == '\t') shown = "\\t";
      EXPECT_EQ(member(value),
                "{\"key\":\"" + std::string(at, 'a') + shown + std::string(19 - at, 'a') + "\"}");
    }
  }
}

TEST(JsonWriter, KeepsBytesThatAreNoText) {
  const std::string bytes = std::string(12, 'a') + '\xff';
  EXPECT_EQ(member(bytes),
            "{\"key\":\"aaaaaaaaaaaa\xEF\xBF\xBD\",\"key_bytes\":\"YWFhYWFhYWFhYWFh/w==\"}");
  EXPECT_EQ(member("aaaaaaaaaaaa\xC3\xA9"), "{\"key\":\"aaaaaaaaaaaa\xC3\xA9\"}");
}

TEST(JsonWriter, WritesMembersOfAnyKind) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("a", UINT64_MAX);
  json.integer("b", INT64_MIN);
  json.mode("c", 07U);
  json.mode("d", UINT32_MAX);
  json.boolean("e", true);
  json.null("f");
  json.number(std::string(100, 'k'), 0);
  json.begin_array("g");
  json.element(std::uint64_t{1});
  json.element("x");
  json.end_array();
  json.end_object();
  EXPECT_EQ(out,
            "{\"a\":18446744073709551615,\"b\":-9223372036854775808,\"c\":\"0007\","
            "\"d\":\"37777777777\",\"e\":true,\"f\":null,\"" +
                std::string(100, 'k') + "\":0,\"g\":[1,\"x\"]}");
}

}  // namespace
}  // namespace umaskaudit::testing
