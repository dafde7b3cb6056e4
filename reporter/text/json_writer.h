// JsonWriter: writes JSON objects one after the other into a string.
// Must never write invalid UTF-8, nor bytes that a terminal interprets; values can be restored. For
// streams of objects; bounded documents use nlohmann::ordered_json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace umaskaudit {

// The inside of a JSON string (RFC 8259): controls, DEL, and what deceptive() names as \uXXXX;
// bytes that are not UTF-8 as U+FFFD.
void append_json_escaped(std::string& out, std::string_view bytes);

std::string base64(std::string_view bytes);

// Appends to a string that the caller owns. Keys are ours: plain ASCII, never escaped.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void begin_object(std::string_view key) { name(key), open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void begin_array(std::string_view key) { name(key), open('['); }
  void end_array() { close(']'); }

  void text(std::string_view key, std::string_view value);
  // The same, and "<key>_bytes" in base64 beside it when the bytes are not UTF-8.
  void bytes(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint64_t value);
  void integer(std::string_view key, std::int64_t value);
  void boolean(std::string_view key, bool value);
  void null(std::string_view key);
  // "0022": at least four octal digits, as a string.
  void mode(std::string_view key, std::uint32_t bits);
  // null where it is not known.
  void mode(std::string_view key, const std::optional<std::uint32_t>& bits);
  // Elements of an array.
  void element(std::string_view value);
  void element(std::uint64_t value);
  void integer(std::int64_t value);
  // Members written by another JsonWriter.
  void raw(std::string_view members);

 private:
  class Piece;
  void separate();
  void name(std::string_view key);
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool first_ = true;
};

}  // namespace umaskaudit
