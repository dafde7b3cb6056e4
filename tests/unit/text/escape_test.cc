// escape(): nothing lost, nothing let through.
#include "reporter/text/escape.h"

#include <gtest/gtest.h>

#include <random>

namespace umaskaudit {
namespace {

// The inverse, written from the header's words alone.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char kind = text[++i];
    if (kind == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else if (kind == 'u') {
      const std::size_t end = text.find('}', i);
      const unsigned long value = std::stoul(text.substr(i + 2, end - i - 2), nullptr, 16);
      if (value < 0x800) {
        out += static_cast<char>(0xC0 | value >> 6);
      } else if (value < 0x10000) {
        out += static_cast<char>(0xE0 | value >> 12);
        out += static_cast<char>(0x80 | (value >> 6 & 0x3F));
      } else {
        out += static_cast<char>(0xF0 | value >> 18);
        out += static_cast<char>(0x80 | (value >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (value >> 6 & 0x3F));
      }
      out += static_cast<char>(0x80 | (value & 0x3F));
      i = end;
    } else {
      out += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind == 'r' ? '\r' : kind;
    }
  }
  return out;
}

TEST(Escape, LeavesPrintableTextAlone) {
  EXPECT_EQ(escape("/srv/a b/Übung 東京.txt"), "/srv/a b/Übung 東京.txt");
  EXPECT_EQ(escape(""), "");
}

TEST(Escape, NamesWhatATerminalWouldObey) {
  EXPECT_EQ(escape("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(escape("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escape("\x7f"), "\\x7f");
  EXPECT_EQ(escape("back\\slash"), "back\\\\slash");
  EXPECT_EQ(escape(std::string("nul\0", 4)), "nul\\x00");
  EXPECT_EQ(escape("\xc2\x9b"
                   "31m"),
            "\\u{9b}31m")
      << "C1 CSI";
  EXPECT_EQ(escape("\xe2\x80\xae"), "\\u{202e}") << "right-to-left override";
  EXPECT_EQ(escape("\xe2\x81\xa6"), "\\u{2066}") << "isolate";
  EXPECT_EQ(escape("\xef\xbb\xbf"), "\\u{feff}");
  EXPECT_EQ(escape("\xf3\xa0\x81\x81"), "\\u{e0041}") << "tag";
}

TEST(Escape, NamesBytesThatAreNotUtf8) {
  EXPECT_EQ(escape("\xff"), "\\xff");
  EXPECT_EQ(escape("\xc3"), "\\xc3") << "cut short";
  EXPECT_EQ(escape("\xc0\x80"), "\\xc0\\x80") << "overlong";
  EXPECT_EQ(escape("\xe0\x80\x80"), "\\xe0\\x80\\x80") << "overlong";
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(escape("a\xe2\x80"), "a\\xe2\\x80");
}

TEST(Escape, LosesNothing) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    for (unsigned i = random() % 12; i > 0; --i) {
      // Half of the bytes are leads and continuations, so that sequences come together by chance.
      bytes += static_cast<char>(random() % 2 == 0 ? random() % 256 : 0x80 + random() % 128);
    }
    const std::string shown = escape(bytes);
    EXPECT_EQ(unescape(shown), bytes);
    EXPECT_TRUE(valid_utf8(shown));
    for (std::string_view rest = shown; !rest.empty();) {
      const CodePoint next = decode_utf8(rest);
      EXPECT_FALSE(deceptive(next.value)) << next.value;
      rest.remove_prefix(next.length);
    }
  }
}

TEST(Deceptive, KnowsBothEndsOfItsRanges) {
  for (const std::uint32_t yes : {0x00u, 0x1Fu, 0x7Fu, 0x9Fu, 0x200Bu, 0x200Fu, 0x2028u, 0x202Eu,
                                  0x2066u, 0x2069u, 0xFFFEu, 0xE0001u, 0x10FFFFu})
    EXPECT_TRUE(deceptive(yes)) << yes;
  for (const std::uint32_t no : {0x20u, 0x7Eu, 0xA0u, 0x200Au, 0x2010u, 0x2027u, 0x1F600u, 0x4E00u})
    EXPECT_FALSE(deceptive(no)) << no;
}

}  // namespace
}  // namespace umaskaudit
