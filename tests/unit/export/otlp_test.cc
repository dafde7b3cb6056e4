// OTLP's JSON against an independent parser: shapes, types, bounds, and ids that stay.
#include "reporter/export/otlp.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "reporter/commands/cli.h"
#include "reporter/export/otlp_attributes.h"
#include "reporter/text/escape.h"
#include "tests/unit/reader/run_helpers.h"
#include "tests/unit/render/fixture_run.h"

namespace umaskaudit::exports {
namespace {

using nlohmann::json;
using testing::RunDirectory;

json attributes_of(const json& list) {
  json flat = json::object();
  for (const json& each : list) {
    EXPECT_EQ(each.size(), 2u);
    EXPECT_EQ(each["value"].size(), 1u) << each;
    EXPECT_FALSE(flat.contains(each["key"])) << each["key"] << " comes twice";
    flat[each["key"].get<std::string>()] = each["value"].front();
  }
  return flat;
}

std::vector<json> requests_of(const std::string& lines) {
  std::vector<json> requests;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) requests.push_back(json::parse(line));
  return requests;
}

std::vector<json> records_of(const std::vector<json>& requests) {
  std::vector<json> records;
  for (const json& request : requests)
    for (const json& record : request["resourceLogs"][0]["scopeLogs"][0]["logRecords"])
      records.push_back(record);
  return records;
}

std::string exported(const std::string& run) {
  std::ostringstream out, err;
  Console console{out, err};
  EXPECT_EQ(commands::run_cli({"export", run, "--format", "otlp"}, console), 0) << err.str();
  return out.str();
}

class Fixture : public ::testing::Test {
 protected:
  Fixture() { write_fixture_run(directory_); }
  // Of the record whose event is called so, and whose body has this in it.
  json attributes(const std::string& name, const std::string& body) {
    for (const json& record : records_of(requests_of(exported(directory_.path()))))
      if (record["eventName"] == "umaskaudit." + name &&
          record["body"]["stringValue"].get<std::string>().find(body) != std::string::npos)
        return attributes_of(record["attributes"]);
    ADD_FAILURE() << "no record " << name << " with " << body;
    return {};
  }
  RunDirectory directory_;
};

TEST(OtlpAttributes, ValuesAsProtobufsJsonHasThem) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_array();
  OtlpAttributes out(writer);
  out.text("text", "a\"\n");
  out.number("number", 9007199254740993);
  out.boolean("boolean", true);
  out.mode("umaskaudit.mode", 022);
  out.mode("file.mode", 04755);
  out.bytes("plain", "caf\xc3\xa9");
  out.bytes("file.path", "a\xff");
  out.bytes("umaskaudit.text", "\x80");
  writer.end_array();
  const json expected = json::parse(R"([
    {"key": "text", "value": {"stringValue": "a\"\n"}},
    {"key": "number", "value": {"intValue": "9007199254740993"}},
    {"key": "boolean", "value": {"boolValue": true}},
    {"key": "umaskaudit.mode", "value": {"stringValue": "0022"}},
    {"key": "umaskaudit.mode_bits", "value": {"intValue": "18"}},
    {"key": "file.mode", "value": {"stringValue": "4755"}},
    {"key": "umaskaudit.file.mode_bits", "value": {"intValue": "2541"}},
    {"key": "plain", "value": {"stringValue": "café"}},
    {"key": "file.path", "value": {"stringValue": "a�"}},
    {"key": "umaskaudit.file.path_bytes", "value": {"bytesValue": "Yf8="}},
    {"key": "umaskaudit.text", "value": {"stringValue": "�"}},
    {"key": "umaskaudit.text_bytes", "value": {"bytesValue": "gA=="}}])");
  EXPECT_EQ(json::parse(text), expected);
}

TEST(RecordId, IsAUuidOfItsContent) {
  RecordId one, other;
  one.add(std::uint64_t{1}).add(std::string_view("abc"));
  other.add(std::uint64_t{1}).add(std::string_view("abc"));
  EXPECT_EQ(one.text(), other.text());
  EXPECT_TRUE(std::regex_match(
      one.text(),
      std::regex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << one.text();
  // The same bytes, cut otherwise.
  RecordId cut, whole;
  cut.add(std::string_view("ab")).add(std::string_view("c"));
  whole.add(std::string_view("abc")).add(std::string_view(""));
  EXPECT_NE(cut.text(), whole.text());
}

TEST(RecordId, NeighboursAreFarApart) {
  std::set<std::string> seen;
  for (std::uint64_t time = 0; time < 1000; ++time)
    for (std::uint64_t tid = 0; tid < 100; ++tid) seen.insert(RecordId().add(time).add(tid).text());
  EXPECT_EQ(seen.size(), 100000u);
}

TEST(OtlpBatches, AreBoundedByRecordsAndBytes) {
  std::vector<std::pair<std::size_t, std::size_t>> sizes;
  OtlpBatches batches(OtlpResource{}, [&](const std::string& text, std::size_t records) {
    sizes.emplace_back(text.size(), records);
    EXPECT_EQ(records_of({json::parse(text)}).size(), records);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    return true;
  });
  for (std::size_t i = 0; i <= kOtlpMostRecords; ++i) batches.add("{}");
  const std::string long_record = "{\"body\":\"" + std::string(kOtlpMostBytes / 3, 'x') + "\"}";
  for (int i = 0; i < 5; ++i) batches.add(long_record);
  batches.add("{\"body\":\"" + std::string(2 * kOtlpMostBytes, 'x') + "\"}");
  batches.flush();
  batches.flush();
  std::vector<std::size_t> records;
  for (const auto& [bytes, count] : sizes) {
    records.push_back(count);
    if (count > 1) {
      EXPECT_LE(bytes, kOtlpMostBytes);
    }
  }
  EXPECT_EQ(records, (std::vector<std::size_t>{kOtlpMostRecords, 3, 2, 1, 1}));
}

TEST(OtlpBatches, StopWhenNobodyWantsMore) {
  int asked = 0;
  OtlpBatches batches(OtlpResource{}, [&](const std::string&, std::size_t) {
    ++asked;
    return false;
  });
  while (batches.add("{}")) {
  }
  EXPECT_FALSE(batches.flush());
  EXPECT_EQ(asked, 1);
}

TEST(OtlpResource, WhatTheUserSaysStandsInsteadOfOurs) {
  OtlpResource resource;
  resource.run.program = "/opt/x/server\xff";
  resource.run.host = "here";
  resource.run.machine = "x86_64";
  resource.attributes = {{"host.name", "there"}, {"team", "files"}};
  json seen;
  OtlpBatches batches(resource, [&](const std::string& text, std::size_t) {
    seen = attributes_of(json::parse(text)["resourceLogs"][0]["resource"]["attributes"]);
    return true;
  });
  batches.add("{}");
  batches.flush();
  EXPECT_EQ(seen["service.name"], "server�");
  EXPECT_EQ(seen["host.name"], "there");
  EXPECT_EQ(seen["host.arch"], "amd64");
  EXPECT_EQ(seen["team"], "files");
  EXPECT_EQ(seen["os.type"], "linux");
  resource.service = "named";
  OtlpBatches named(resource, [&](const std::string& text, std::size_t) {
    seen = attributes_of(json::parse(text)["resourceLogs"][0]["resource"]["attributes"]);
    return true;
  });
  named.add("{}");
  named.flush();
  EXPECT_EQ(seen["service.name"], "named");
}

TEST_F(Fixture, EveryRecordHasTheShapeOfTheProtocol) {
  const std::string text = exported(directory_.path());
  EXPECT_TRUE(valid_utf8(text));
  const std::vector<json> requests = requests_of(text);
  ASSERT_EQ(requests.size(), 1u);
  const json& logs = requests[0]["resourceLogs"][0];
  EXPECT_EQ(logs["scopeLogs"][0]["scope"]["name"], "umaskaudit");
  std::set<std::string> ids, names;
  for (const json& record : records_of(requests)) {
    EXPECT_TRUE(record["timeUnixNano"].is_string());
    EXPECT_EQ(record["timeUnixNano"], record["observedTimeUnixNano"]);
    EXPECT_EQ(record["timeUnixNano"].get<std::string>().substr(0, 10), "1700000000") << record;
    const std::map<int, std::string> levels{{9, "INFO"}, {13, "WARN"}, {17, "ERROR"}};
    EXPECT_EQ(levels.at(record["severityNumber"].get<int>()), record["severityText"]);
    EXPECT_TRUE(record["body"]["stringValue"].is_string());
    names.insert(record["eventName"].get<std::string>());
    ids.insert(attributes_of(record["attributes"])["log.record.uid"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), records_of(requests).size());
  EXPECT_EQ(names,
            (std::set<std::string>{"umaskaudit.blind_spot", "umaskaudit.chmod", "umaskaudit.create",
                                   "umaskaudit.finding", "umaskaudit.fork", "umaskaudit.loss",
                                   "umaskaudit.note", "umaskaudit.process", "umaskaudit.rename",
                                   "umaskaudit.umask"}));
}

TEST_F(Fixture, TheSameRunIsTheSameText) {
  EXPECT_EQ(exported(directory_.path()), exported(directory_.path()));
}

TEST_F(Fixture, ACreationSaysWhoWhereAndWhy) {
  const json hit = attributes("create", "/srv/hit 0666");
  EXPECT_EQ(hit["file.path"], "/srv/hit");
  EXPECT_EQ(hit["file.name"], "hit");
  EXPECT_EQ(hit["file.directory"], "/srv");
  EXPECT_EQ(hit["file.mode"], "0666");
  EXPECT_EQ(hit["umaskaudit.file.mode_bits"], "438");
  EXPECT_EQ(hit["umaskaudit.mask"], "0000");
  EXPECT_EQ(hit["umaskaudit.mask_bits"], "0");
  EXPECT_EQ(hit["umaskaudit.requested_bits"], "438");
  EXPECT_EQ(hit["file.inode"], "12");
  EXPECT_EQ(hit["file.owner.id"], "1000");
  EXPECT_EQ(hit["process.pid"], "100");
  EXPECT_EQ(hit["thread.id"], "102");
  EXPECT_EQ(hit["umaskaudit.call"], "open");
  EXPECT_EQ(hit["umaskaudit.created"], true);
  const json failed = attributes("create", "/root/secret");
  EXPECT_EQ(failed["error.type"], "EACCES");
  EXPECT_EQ(failed["umaskaudit.created"], false);
}

TEST_F(Fixture, HostileBytesAreTextAndBytes) {
  const json hostile = attributes("create", "esc\\x1b[31m");
  EXPECT_EQ(hostile["file.path"], "/srv/esc\x1b[31m\n\xef\xbf\xbd\xe2\x80\xae`|<b>");
  EXPECT_EQ(hostile["umaskaudit.file.path_bytes"],
            base64("/srv/esc\x1b[31m\n\xff\xe2\x80\xae`|<b>"));
}

TEST_F(Fixture, FindingsNameTheirRuleAndCode) {
  const json finding = attributes("finding", "");
  for (const char* key : {"umaskaudit.rule.id", "umaskaudit.rule.name", "umaskaudit.fingerprint",
                          "umaskaudit.severity", "umaskaudit.advice", "code.stacktrace"})
    EXPECT_TRUE(finding.contains(key)) << key;
}

}  // namespace
}  // namespace umaskaudit::exports
