// The writer of json_writer.h: appends, never looks back.
// Must never allocate but for the output itself: it runs once per event.
// Called by the JSON Lines renderer.
#include "reporter/text/json_writer.h"

#include <charconv>
#include <cstddef>

#include "reporter/mode/notation.h"
#include "reporter/text/escape.h"

namespace umaskaudit {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_unit(std::string& out, std::uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 15];
}

void append_escaped(std::string& out, std::uint32_t value) {
  switch (value) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
  }
  if (value < 0x10000) {
    append_unit(out, value);
  } else {  // RFC 8259, section 7: a surrogate pair
    append_unit(out, 0xD7C0 + (value >> 10));
    append_unit(out, 0xDC00 + (value & 0x3FF));
  }
}

bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; }

template <typename Number>
void append_number(std::string& out, Number value) {
  char text[24];
  const auto result = std::to_chars(text, text + sizeof text, value);
  out.append(text, result.ptr);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t plain = 0;
    while (plain < bytes.size() && is_plain(bytes[plain])) ++plain;
    out.append(bytes.substr(0, plain));
    bytes.remove_prefix(plain);
    if (bytes.empty()) return;
    const CodePoint next = decode_utf8(bytes);
    if (next.length == 0)
      out += "\xEF\xBF\xBD";
    else if (next.length == 1 || deceptive(next.value))
      append_escaped(out, next.value);
    else
      out.append(bytes.substr(0, next.length));
    bytes.remove_prefix(next.length == 0 ? 1 : next.length);
  }
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i <= bytes.size() ? kAlphabet[(group >> (18 - 6 * i)) & 63] : '=';
  }
  return out;
}

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

void JsonWriter::name(std::string_view key) {
  separate();
  out_.append("\"").append(key).append("\":");
  first_ = true;  // the value that follows takes no comma
}

void JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
}

void JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
}

void JsonWriter::text(std::string_view key, std::string_view value) {
  name(key);
  element(value);
}

void JsonWriter::bytes(std::string_view key, std::string_view value) {
  text(key, value);
  if (!valid_utf8(value)) text(std::string(key).append("_bytes"), base64(value));
}

void JsonWriter::number(std::string_view key, std::uint64_t value) {
  name(key);
  element(value);
}

void JsonWriter::integer(std::string_view key, std::int64_t value) {
  name(key);
  integer(value);
}

void JsonWriter::boolean(std::string_view key, bool value) {
  name(key);
  out_ += value ? "true" : "false";
  first_ = false;
}

void JsonWriter::null(std::string_view key) {
  name(key);
  out_ += "null";
  first_ = false;
}

void JsonWriter::mode(std::string_view key, std::uint32_t bits) { text(key, octal(bits)); }

void JsonWriter::mode(std::string_view key, const std::optional<std::uint32_t>& bits) {
  if (bits)
    mode(key, *bits);
  else
    null(key);
}

void JsonWriter::element(std::string_view value) {
  separate();
  out_ += '"';
  append_json_escaped(out_, value);
  out_ += '"';
}

void JsonWriter::element(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::raw(std::string_view members) {
  separate();
  out_ += members;
}

}  // namespace umaskaudit
