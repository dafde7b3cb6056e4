// Rows as JSON Lines: the order and the types of tables.json, and text that comes back.
#include "reporter/fleet/table_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace umaskaudit::fleet {
namespace {

constexpr ColumnInfo kColumns[] = {
    {"host", ColumnType::text, false},    {"date", ColumnType::date, false},
    {"run", ColumnType::text, false},     {"number", ColumnType::integer, false},
    {"maybe", ColumnType::integer, true}, {"name", ColumnType::text, false},
    {"other", ColumnType::text, true},    {"flag", ColumnType::boolean, false},
    {"function", ColumnType::text, true}, {"line", ColumnType::integer, true},
};
constexpr TableInfo kTable{"rows", kColumns, {}};
constexpr char kCommon[] = R"("host":"h","date":"2026-11-30","run":"r")";

nlohmann::json row_of(const std::string& text) { return nlohmann::json::parse(text); }

TEST(TableFile, RowsHaveAllThatIsNotNull) {
  std::ostringstream out;
  TableFile file(kTable, kCommon, out);
  file.integer(1).integer(std::nullopt).text("a").text("").boolean(true).members("", 2).done();
  file.integer(2).signed_integer(-7).text("").text("b").boolean(false);
  file.members(R"(,"function":"f","line":3)", 2).done();
  file.flush();
  std::istringstream lines(out.str());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line,
            R"({"host":"h","date":"2026-11-30","run":"r","number":1,"name":"a","flag":true})");
  ASSERT_TRUE(std::getline(lines, line));
  const nlohmann::json second = row_of(line);
  EXPECT_EQ(second["maybe"], -7);
  EXPECT_EQ(second["name"], "");
  EXPECT_EQ(second["other"], "b");
  EXPECT_EQ(second["line"], 3);
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(TableFile, NumbersBeyondTheSignedOnesKeepTheirBits) {
  std::ostringstream out;
  TableFile file(kTable, kCommon, out);
  file.integer(UINT64_MAX).null().text("").null().boolean(true).null().null().done();
  file.flush();
  EXPECT_EQ(row_of(out.str())["number"], -1);
}

TEST(TableFile, TextIsPrintableAndJson) {
  for (const std::string raw : {"plain", "quote\" back\\slash", "new\nline\x1b[31m", "\xff\x80",
                                "\xe2\x80\xae right to left", "\xc3\xa4\xf0\x9f\x98\x80"}) {
    std::string text = "\"";
    append_table_text(text, raw);
    const auto parsed = row_of(text + '"').get<std::string>();
    for (const char c : parsed) EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    EXPECT_EQ(parsed == raw, raw == "plain" || raw.front() == '\xc3') << parsed;
  }
}

TEST(TableFile, AWrongRowIsAnError) {
  std::ostringstream out;
  TableFile file(kTable, kCommon, out);
  EXPECT_THROW(file.text("number?"), std::logic_error);
  TableFile second(kTable, kCommon, out);
  EXPECT_THROW(second.null(), std::logic_error);
  TableFile third(kTable, kCommon, out);
  third.integer(1);
  EXPECT_THROW(third.done(), std::logic_error);
  TableFile fourth(kTable, kCommon, out);
  fourth.integer(1).null().text("").null().boolean(true).null().null();
  EXPECT_THROW(fourth.null(), std::logic_error);
}

TEST(TableFile, ManyRowsAreWholeLines) {
  std::ostringstream out;
  TableFile file(kTable, kCommon, out);
  constexpr std::uint64_t kRows = 5000;  // some blocks
  for (std::uint64_t i = 0; i < kRows; ++i) {
    file.integer(i).null().text(std::string(50, 'x')).null().boolean(true).null().null().done();
  }
  file.flush();
  std::istringstream lines(out.str());
  std::string line;
  std::uint64_t count = 0;
  while (std::getline(lines, line)) EXPECT_EQ(row_of(line)["number"], count++);
  EXPECT_EQ(count, kRows);
}

}  // namespace
}  // namespace umaskaudit::fleet
