// Fields: an event of the log as named fields, in one JSON object (RFC 8259) or one entry of the
// protocol of systemd-journald (systemd.io/JOURNAL_NATIVE_PROTOCOL).
// Must never write invalid JSON, whatever bytes a name has, nor allocate.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

class Fields {
 public:
  enum class Form : std::uint8_t { json, journal };
  Fields(TextBuffer& out, Form form) : out_(out), form_(form) {}

  // JSON only: an object or a list. `name` is null for an element of a list.
  Fields& open(const char* name, char bracket);
  Fields& close(char bracket);

  // `name` and `text` are ours: plain ASCII.
  Fields& word(const char* name, const char* text);
  Fields& time(const char* name, std::uint64_t real_ns);  // CLOCK_REALTIME
  Fields& number(const char* name, std::uint64_t value);
  Fields& mode(const char* name, std::uint32_t value);
  Fields& hex(const char* name, std::uint64_t value);
  Fields& yes(const char* name);
  // Bytes of the program. In JSON at most about `most` bytes are written, then "NAME_cut" is added;
  // bytes that are not UTF-8 become U+FFFD, and the whole value is added as "NAME_bytes" in base64.
  Fields& bytes(const char* name, const char* text, std::uint32_t length, std::uint32_t most);

  // Journal only: a field of several lines, which the caller appends between the two calls. Pass
  // the value of begin_lines() to end_lines().
  std::size_t begin_lines(const char* name);
  void end_lines(std::size_t begin);

 private:
  void name(const char* name);
  void end();

  TextBuffer& out_;
  const Form form_;
  bool first_ = true;
};

// Appends text as the inside of a JSON string, in ASCII, with at most about `most` bytes of output.
// Returns how many bytes of input were used. `valid`: those were UTF-8.
std::uint32_t put_json(TextBuffer& out, const char* text, std::uint32_t length, std::uint32_t most,
                       bool& valid);

}  // namespace umaskaudit::shim
