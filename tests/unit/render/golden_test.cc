// What users see of one fixed run, in every format, held against tests/golden/*.
// With UMASKAUDIT_UPDATE_GOLDEN=1 (tests/golden/update) the files are written instead: review the
// difference before it is committed.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "reporter/commands/cli.h"
#include "reporter/text/escape.h"
#include "tests/unit/render/fixture_run.h"

namespace umaskaudit::render {
namespace {

using testing::RunDirectory;

struct Case {
  const char* golden;
  std::vector<std::string> arguments;  // RUN stands for the directory
  std::size_t width = 0;
  bool colour = false;
  int code = 0;
};

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string output_of(const Case& test) {
  const RunDirectory directory;
  write_fixture_run(directory);
  std::vector<std::string> arguments;
  for (const std::string& word : test.arguments)
    arguments.push_back(word == "RUN" ? directory.path() : word);
  std::ostringstream out, err;
  Console console{out, err};
  console.verbosity = Verbosity::quiet;  // csv warns of the fixture's losses
  console.width = test.width;
  console.out_colour = test.colour;
  EXPECT_EQ(commands::run_cli(arguments, console), test.code);
  EXPECT_EQ(err.str(), "");
  return replace_all(out.str(), directory.path(), "RUN");
}

// What a page says, without its markup, style and code: those are no output to review.
std::string data_of_page(const std::string& text) {
  static constexpr std::string_view kBegin = R"(<script type="application/json" id="data">)";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string::npos) return text;
  const std::size_t data = begin + kBegin.size();
  return text.substr(data, text.find("</script>", data) - data) + '\n';
}

class Golden : public ::testing::TestWithParam<Case> {};

void compare(const char* golden, const std::string& output) {
  const std::string path = std::string(GOLDEN_FOLDER) + "/" + golden;
  if (std::getenv("UMASKAUDIT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << output;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream stored;
  stored << file.rdbuf();
  EXPECT_EQ(output, stored.str()) << "if this is meant: tests/golden/update, and review";
}

TEST_P(Golden, IsAsStored) { compare(GetParam().golden, data_of_page(output_of(GetParam()))); }

std::string test_name(const ::testing::TestParamInfo<Case>& test) {
  std::string name = test.param.golden;
  name.erase(0, name.rfind('/') + 1);
  for (char& c : name)
    if (c == '.' || c == '-') c = '_';
  return name == "_umaskaudit" ? std::string("zsh") : name;
}

INSTANTIATE_TEST_SUITE_P(
    Exports, Golden,
    ::testing::Values(Case{"export.chrome.json", {"export", "RUN", "--format", "chrome"}},
                      Case{"export.ecs.jsonl", {"export", "RUN", "--format", "ecs"}},
                      Case{"export.creations.txt", {"export", "RUN", "--format", "collapsed"}},
                      Case{"export.changes.txt",
                           {"export", "RUN", "--format", "collapsed", "--by", "changes"}}),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Outputs, Golden,
    ::testing::Values(Case{"report.txt", {"report", "RUN"}},
                      Case{"report-80.txt", {"report", "RUN"}, 80},
                      Case{"report-colour.txt", {"report", "RUN", "--limit", "2"}, 0, true},
                      Case{"report-filtered.txt",
                           {"report", "RUN", "--path", "*hit*", "--sort", "mode"}},
                      Case{"report.jsonl", {"report", "RUN", "--format", "jsonl"}},
                      Case{"report.json", {"report", "RUN", "--format", "json"}},
                      Case{"report.csv", {"report", "RUN", "--format", "csv"}},
                      Case{"report.md", {"report", "RUN", "--format", "markdown"}},
                      Case{"report-html.json", {"report", "RUN", "--format", "html"}},
                      Case{"report.sarif", {"report", "RUN", "--format", "sarif"}},
                      Case{"report.junit.xml", {"report", "RUN", "--format", "junit"}},
                      Case{"whatif.txt", {"whatif", "RUN", "--umask", "027"}},
                      Case{"whatif.json",
                           {"whatif", "RUN", "--umask", "027", "--everywhere", "--format", "json"}},
                      Case{"diff.txt", {"diff", "RUN", "RUN", "--root-b", "/srv"}, 0, false, 1},
                      Case{"diff.json",
                           {"diff", "RUN", "RUN", "--root-b", "/srv", "--format", "json"},
                           0,
                           false,
                           1},
                      Case{"threads.txt", {"threads", "RUN", "--stacks"}},
                      Case{"timeline.txt", {"timeline", "RUN", "--all"}},
                      Case{"blame.txt", {"blame", "RUN", "/srv/final"}},
                      Case{"../../reporter/completions/umaskaudit.bash", {"completions", "bash"}},
                      Case{"../../reporter/completions/_umaskaudit", {"completions", "zsh"}},
                      Case{"../../reporter/completions/umaskaudit.fish", {"completions", "fish"}}),
    test_name);

// Every table as SQL reads it back: names of columns, then rows.
std::string dump(const std::string& file) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  std::string text;
  const auto add = [](void* to, int columns, char** values, char** names) {
    auto& out = *static_cast<std::string*>(to);
    for (int i = 0; i < columns; ++i)
      if (values[i] != nullptr)
        out += std::string(i ? " " : "") + names[i] + "=" + escape(values[i]);
    out += '\n';
    return 0;
  };
  for (const char* table :
       {"run", "processes", "umask_events", "objects", "opened", "changes", "unseen", "notes",
        "findings", "hits", "frames", "v_leaked", "v_world_writable"}) {
    text += std::string("-- ") + table + '\n';
    const std::string query = std::string("SELECT * FROM ") + table;
    EXPECT_EQ(sqlite3_exec(database, query.c_str(), add, &text, nullptr), SQLITE_OK) << table;
  }
  sqlite3_close(database);
  return text;
}

TEST(Export, DatabaseIsAsStored) {
  const RunDirectory directory;
  write_fixture_run(directory);
  const std::string file = directory.path() + "/out.db";
  std::ostringstream out, err;
  Console console{out, err};
  ASSERT_EQ(
      commands::run_cli({"export", directory.path(), "--format", "sqlite", "-o", file}, console), 0)
      << err.str();
  compare("export.sqlite.txt", replace_all(dump(file), directory.path(), "RUN"));
}

// A second, independent reader of what we call JSON Lines.
TEST(JsonLines, EveryLineIsAnObjectWithTheCommonFields) {
  std::istringstream lines(output_of({"", {"report", "RUN", "--format", "jsonl"}}));
  std::size_t count = 0;
  std::set<std::uint64_t> stacks;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(object.is_object()) << line;
    EXPECT_EQ(object["type"] == "run", count == 0) << line;
    if (object["type"] == "stack") {
      EXPECT_TRUE(stacks.insert(object["id"].get<std::uint64_t>()).second) << line;
    }
    if (object["type"] == "finding" || !object.contains("seq")) continue;
    for (const char* key : {"time_ns", "pid"})
      EXPECT_TRUE(object.contains(key)) << key << " in " << line;
    if (object.contains("stack")) {
      EXPECT_TRUE(stacks.contains(object["stack"].get<std::uint64_t>())) << line;
    }
  }
  EXPECT_GT(count, 10u);
  EXPECT_GT(stacks.size(), 1u);
}

TEST(JsonLines, StandAloneWithExpandedStacks) {
  std::istringstream lines(
      output_of({"", {"report", "RUN", "--format", "jsonl", "--expand-stacks"}}));
  std::size_t frames = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    EXPECT_NE(object["type"], "stack");
    if (object["type"] == "finding" || !object.contains("seq")) continue;
    if (object.contains("stack")) frames += object["stack"].size();
    for (const char* key : {"tid", "thread", "fs"}) EXPECT_TRUE(object.contains(key)) << line;
    if (object["type"] != "create") continue;
    for (const char* key : {"kind", "created", "mask_set_by", "steps", "errno", "dev", "uid"})
      EXPECT_TRUE(object.contains(key)) << line;
  }
  EXPECT_GT(frames, 10u);
}

TEST(TextReport, LetsNoControlByteThrough) {
  for (const char* format :
       {"text", "jsonl", "json", "csv", "markdown", "html", "sarif", "junit"}) {
    const std::string text = output_of({"", {"report", "RUN", "--format", format}});
    for (const char c : text) {
      const bool line_end = c == '\n' || (c == '\r' && std::string(format) == "csv");
      EXPECT_TRUE(line_end || static_cast<unsigned char>(c) >= 0x20) << format;
    }
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos) << format;
  }
}

}  // namespace
}  // namespace umaskaudit::render
