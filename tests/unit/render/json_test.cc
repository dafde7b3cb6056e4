// The JSON writer against an independent parser, and the CSV and Markdown cells.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "reporter/render/formats/csv.h"
#include "reporter/render/formats/markdown.h"
#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {
namespace {

TEST(JsonWriter, BuildsWhatAParserReads) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("text", "a\"b\\c\n");
  json.number("big", 18446744073709551615ull);
  json.integer("negative", -5);
  json.boolean("yes", true);
  json.null("none");
  json.mode("mode", 022);
  json.begin_array("list");
  json.element(std::string_view("x"));
  json.element(std::uint64_t{7});
  json.begin_object();
  json.end_object();
  json.end_array();
  json.begin_object("inner");
  json.text("k", "");
  json.end_object();
  json.end_object();
  const auto parsed = nlohmann::json::parse(out);
  EXPECT_EQ(parsed["text"], "a\"b\\c\n");
  EXPECT_EQ(parsed["big"], 18446744073709551615ull);
  EXPECT_EQ(parsed["negative"], -5);
  EXPECT_EQ(parsed["mode"], "0022");
  EXPECT_EQ(parsed["list"], nlohmann::json::parse(R"(["x",7,{}])"));
  EXPECT_EQ(parsed["inner"]["k"], "");
}

TEST(JsonWriter, KeepsTextAndNamesBytes) {
  std::mt19937 random(11);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    for (unsigned i = random() % 10; i > 0; --i)
      bytes += static_cast<char>(random() % 2 == 0 ? random() % 256 : 0x80 + random() % 128);
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.bytes("path", bytes);
    json.end_object();
    const auto parsed = nlohmann::json::parse(out);
    if (valid_utf8(bytes)) {
      EXPECT_EQ(parsed["path"].get<std::string>(), bytes);
      EXPECT_FALSE(parsed.contains("path_bytes"));
    } else {
      EXPECT_EQ(parsed["path_bytes"], base64(bytes));
    }
  }
}

TEST(JsonWriter, HidesNothingFromATerminal) {
  std::string out;
  append_json_escaped(out, "\x1b\x7f\xe2\x80\xae\xf3\xa0\x81\x81");
  EXPECT_EQ(out, "\\u001b\\u007f\\u202e\\udb40\\udc41");
}

TEST(Base64, MatchesRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Csv, CellsAreNoFormulas) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
  EXPECT_EQ(csv_cell("@x,y"), "\"'@x,y\"");
  EXPECT_EQ(csv_cell("a\nb"), "a\\nb");
}

TEST(Markdown, NamesStayInsideTheirSpan) {
  EXPECT_EQ(markdown_code("plain"), "`plain`");
  EXPECT_EQ(markdown_code("a`b"), "``a`b``");
  EXPECT_EQ(markdown_code("`x`"), "`` `x` ``");
  EXPECT_EQ(markdown_code("a|b"), "`a\\|b`");
  EXPECT_EQ(markdown_code("a\n# head"), "`a\\n# head`");
}

}  // namespace
}  // namespace umaskaudit::render
