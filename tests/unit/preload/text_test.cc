// Modes, numbers and foreign bytes as the live log writes them, held against stat(1).
// Run by meson.

#include "preload/sys/format_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace umaskaudit::shim {

namespace {

template <typename Put>
std::string text_of(Put put) {
  char buffer[2048];
  TextBuffer text(buffer, sizeof buffer);
  put(text);
  return {text.begin(), text.length()};
}

std::string rwx(std::uint32_t mode) {
  return text_of([&](TextBuffer& text) { text.rwx(mode); });
}
std::string escaped(const std::string& bytes) {
  return text_of([&](TextBuffer& text) { text.escaped(bytes.data(), bytes.size()); });
}

// Directories: the kernel keeps every bit of their modes for their owner.
TEST(Rwx, AllModesAsStatShowsThem) {
  char shared_memory[] = "/dev/shm/umaskaudit-rwx-XXXXXX";
  char disk[] = "/tmp/umaskaudit-rwx-XXXXXX";
  const char* top = mkdtemp(shared_memory);
  if (top == nullptr) top = mkdtemp(disk);
  ASSERT_NE(top, nullptr);
  const auto name_of = [&](unsigned mode) { return std::string(top) + "/" + std::to_string(mode); };
  for (unsigned mode = 0; mode <= 07777; ++mode) {
    ASSERT_EQ(mkdir(name_of(mode).c_str(), 0700), 0);
    ASSERT_EQ(chmod(name_of(mode).c_str(), mode), 0);
  }
  unsigned compared = 0;
  FILE* stat = popen(("cd " + std::string(top) + " && stat -c '%n %A' *").c_str(), "r");
  ASSERT_NE(stat, nullptr);
  unsigned mode = 0;
  char shown[32];
  while (fscanf(stat, "%u %31s", &mode, shown) == 2) {  // NOLINT(cert-err34-c): our own numbers
    EXPECT_EQ("d" + rwx(mode), shown);
    ++compared;
  }
  pclose(stat);
  for (mode = 0; mode <= 07777; ++mode) rmdir(name_of(mode).c_str());
  rmdir(top);
  EXPECT_EQ(compared, 4096u);
}

TEST(Rwx, LooksAtNoOtherBits) { EXPECT_EQ(rwx(S_IFREG | 0644), rwx(0644)); }

TEST(Mode, IsFourOctalDigits) {
  for (unsigned mode = 0; mode <= 07777; ++mode) {
    char expected[8];
    std::snprintf(expected, sizeof expected, "%04o", mode);
    EXPECT_EQ(text_of([&](TextBuffer& text) { text.mode(S_IFDIR | mode); }), expected);
  }
}

TEST(Number, AsPrintfWritesIt) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{10},
                                    std::uint64_t{4096}, std::uint64_t{UINT64_MAX}}) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "%ju|%jx|%016jx", std::uintmax_t{value},
                  std::uintmax_t{value}, std::uintmax_t{value});
    EXPECT_EQ(text_of([&](TextBuffer& text) {
                text.decimal(value).put('|').hex(value).put('|').hex(value, 16);
              }),
              expected);
  }
}

TEST(Escaped, PrintableAsciiStaysAsItIs) {
  std::string printable;
  for (char c = ' '; c < 0x7f; ++c) {
    if (c != '\\') printable += c;
  }
  EXPECT_EQ(escaped(printable), printable);
}

// Nothing else reaches a terminal: of all 256 bytes only those above are left as they are.
TEST(Escaped, EverythingElseIsSpelled) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte >= ' ' && byte < 0x7f && byte != '\\') continue;
    char expected[8];
    std::snprintf(expected, sizeof expected, "\\x%02x", byte);
    EXPECT_EQ(escaped(std::string(1, static_cast<char>(byte))), expected);
  }
  EXPECT_EQ(escaped("a\x1b[31m\nb\xc3\xa9"), "a\\x1b[31m\\x0ab\\xc3\\xa9");
  EXPECT_EQ(escaped(std::string("\0x", 2)), "\\x00x");
}

TEST(TextBuffer, DropsWhatDoesNotFitAndRemembers) {
  char buffer[8] = "#######";
  TextBuffer text(buffer, 4);
  text.put("abc");
  EXPECT_FALSE(text.overflow());
  EXPECT_EQ(text.room(), 1u);
  text.put("de");
  EXPECT_TRUE(text.overflow());
  EXPECT_EQ(std::string(text.begin(), text.length()), "abcd");
  EXPECT_EQ(buffer[4], '#');  // not a byte behind its end
  text.decimal(7);
  EXPECT_EQ(text.length(), 4u);
}

TEST(TextBuffer, EndsWithinItsRoom) {
  char buffer[8] = "#######";
  TextBuffer full(buffer, 4);
  full.put("abcd").end();
  EXPECT_STREQ(buffer, "abc");
  TextBuffer loose(buffer, 4);
  loose.put("x").end();
  EXPECT_STREQ(buffer, "x");
  EXPECT_EQ(buffer[4], '#');
}

}  // namespace

}  // namespace umaskaudit::shim
