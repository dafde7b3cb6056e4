// TextBuffer: text in a fixed buffer, for file names and log lines.
// Must never allocate, use the locale or call stdio: it runs in signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace umaskaudit::shim {

// The distance to the first of two bytes, or to the end. Not strcspn(3): its code and table are two
// pages of libc that no start has touched yet.
inline std::size_t length_until(const char* text, char a, char b) {
  std::size_t length = 0;
  while (text[length] != '\0' && text[length] != a && text[length] != b) ++length;
  return length;
}

// Appends; what does not fit is dropped, and that is remembered. The caller owns the buffer.
class TextBuffer {
 public:
  TextBuffer(char* at, std::size_t size) : begin_(at), at_(at), end_(at + size) {}

  TextBuffer& put(char c) {
    if (at_ < end_) {
      *at_++ = c;
    } else {
      overflow_ = true;
    }
    return *this;
  }
  TextBuffer& put(const char* text) { return put(text, strlen(text)); }
  TextBuffer& put(const char* text, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) put(text[i]);
    return *this;
  }
  TextBuffer& decimal(std::uint64_t value, unsigned width = 1) { return number(value, 10, width); }
  TextBuffer& hex(std::uint64_t value, unsigned width = 1) { return number(value, 16, width); }
  // Modes and masks: four octal digits, as everywhere in this project.
  TextBuffer& mode(std::uint32_t value) { return number(value & 07777, 8, 4); }
  // "rwxr-x---", with s, S, t and T for the special bits (ls(1)).
  TextBuffer& rwx(std::uint32_t value);
  // Appends bytes of the audited program so that they cannot move a terminal's cursor or split a
  // line: backslash, control bytes and everything beyond ASCII become \xNN.
  TextBuffer& escaped(const char* text, std::size_t length);

  // NUL-terminates, over the last byte if the buffer is full.
  void end() {
    if (at_ == end_) --at_;
    *at_ = '\0';
  }
  std::size_t length() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }
  const char* begin() const { return begin_; }
  bool overflow() const { return overflow_; }

 private:
  TextBuffer& number(std::uint64_t value, unsigned base, unsigned width);

  char* begin_;
  char* at_;
  char* end_;
  bool overflow_ = false;
};

}  // namespace umaskaudit::shim
