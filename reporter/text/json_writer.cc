// Appends JSON text; see json_writer.h.
// Must never allocate except for the output: it runs once per event.
#include "reporter/text/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <iterator>

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

constexpr std::uint64_t repeated(unsigned char byte) { return 0x0101010101010101U * byte; }
// Sets the upper bit of each of the eight bytes that is zero, or less than `least`.
constexpr std::uint64_t has_zero(std::uint64_t word) {
  return (word - repeated(1)) & ~word & repeated(0x80);
}
constexpr std::uint64_t has_less(std::uint64_t word, unsigned char least) {
  return (word - repeated(least)) & ~word & repeated(0x80);
}

// Whether all bytes are is_plain(): true of nearly all texts, so eight are tested at once.
bool all_plain(std::string_view text) {
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    const std::uint64_t other = (word & repeated(0x80)) | has_less(word, 0x20) |
                                has_zero(word ^ repeated(0x7F)) | has_zero(word ^ repeated('"')) |
                                has_zero(word ^ repeated('\\'));
    if (other != 0) return false;
    text.remove_prefix(sizeof word);
  }
  return std::all_of(text.begin(), text.end(), is_plain);
}

}  // namespace

// The name of a member, and its value where that is short: one append.
class JsonWriter::Piece {
 public:
  // With a comma if one is needed.
  Piece(JsonWriter& json, std::string_view key) : json_(json) {
    if (!json.first_) add(',');
    json.first_ = false;
    add('"');
    if (key.size() <= kLongestKey) {
      key.copy(at_, key.size());
      at_ += key.size();
    } else {
      flush();
      json.out_.append(key);
    }
    add("\":");
  }
  ~Piece() { flush(); }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  void add(char one) { *at_++ = one; }
  // For short values.
  void add(std::string_view text) {
    text.copy(at_, text.size());
    at_ += text.size();
  }
  template <typename Number>
  void number(Number value) {
    at_ = std::to_chars(at_, std::end(text_), value).ptr;
  }

 private:
  static constexpr std::size_t kLongestKey = 32;

  void flush() {
    json_.out_.append(text_, at_);
    at_ = text_;
  }

  JsonWriter& json_;
  char text_[kLongestKey + 32];
  char* at_ = text_;
};

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
  { Piece piece(*this, key); }
  first_ = true;  // no comma before the value
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
  {
    Piece piece(*this, key);
    piece.add('"');
  }
  if (all_plain(value))
    out_.append(value);
  else
    append_json_escaped(out_, value);
  out_ += '"';
}

void JsonWriter::bytes(std::string_view key, std::string_view value) {
  text(key, value);
  if (all_plain(value) || valid_utf8(value)) return;
  text(std::string(key).append("_bytes"), base64(value));
}

void JsonWriter::number(std::string_view key, std::uint64_t value) {
  Piece(*this, key).number(value);
}

void JsonWriter::integer(std::string_view key, std::int64_t value) {
  Piece(*this, key).number(value);
}

void JsonWriter::boolean(std::string_view key, bool value) {
  Piece(*this, key).add(value ? "true" : "false");
}

void JsonWriter::null(std::string_view key) { Piece(*this, key).add("null"); }

void JsonWriter::mode(std::string_view key, std::uint32_t bits) {
  const std::string text = octal(bits);  // short enough for no allocation
  Piece piece(*this, key);
  piece.add('"');
  piece.add(text);
  piece.add('"');
}

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
