// An event of the log as named fields: one JSON object (RFC 8259), or an entry in the protocol of
// systemd-journald (systemd.io/JOURNAL_NATIVE_PROTOCOL).
// Must never write what is no valid JSON, whatever bytes a name has, nor allocate. Called by
// live_log.cc.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

class Fields {
 public:
  enum class Form : std::uint8_t { json, journal };
  Fields(TextBuffer& out, Form form) : out_(out), form_(form) {}

  // Objects and lists are of JSON alone. `name`: null in a list.
  Fields& open(const char* name, char bracket);
  Fields& close(char bracket);

  // `name` is ours: small letters and '_'.
  Fields& word(const char* name, const char* text);       // ours too: plain ASCII
  Fields& time(const char* name, std::uint64_t real_ns);  // CLOCK_REALTIME
  Fields& number(const char* name, std::uint64_t value);
  Fields& mode(const char* name, std::uint32_t value);
  Fields& hex(const char* name, std::uint64_t value);
  Fields& yes(const char* name);
  // Bytes of the program's. In JSON at most about `most` bytes are written, then "NAME_cut" says
  // so; bytes that are not UTF-8 are U+FFFD, and all of it is in "NAME_bytes" too, as base64.
  Fields& bytes(const char* name, const char* text, std::uint32_t length, std::uint32_t most);

  // A field of lines, which are appended between the two. Of an entry alone; the value of
  // begin_lines() is handed on.
  std::size_t begin_lines(const char* name);
  void end_lines(std::size_t begin);

 private:
  void name(const char* name);
  void end();

  TextBuffer& out_;
  const Form form_;
  bool first_ = true;
};

// Text as the inside of a JSON string, in ASCII. At most about `most` bytes of output; returns how
// many bytes were taken. `valid`: they were UTF-8.
std::uint32_t put_json(TextBuffer& out, const char* text, std::uint32_t length, std::uint32_t most,
                       bool& valid);

}  // namespace umaskaudit::shim
