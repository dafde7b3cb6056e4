// UMASKAUDIT_OPTIONS as people type it. What is wrong must be named, and must change nothing.
// Must never read the real environment. Run by meson.

#include "preload/options.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace umaskaudit::shim {

namespace {

std::vector<std::string> complaints;

void complain(const char* problem, const char* word, unsigned length) {
  complaints.push_back(std::string(problem) + "|" + std::string(word, length));
}

Options parsed(const std::string& text) {
  complaints.clear();
  Options options;
  parse_options(text.c_str(), options, complain);
  return options;
}

using Complaints = std::vector<std::string>;

TEST(Options, EverythingHasADefault) {
  Options options;
  complaints.clear();
  parse_options(nullptr, options, complain);
  parse_options("", options, complain);
  EXPECT_TRUE(options.log.empty());
  EXPECT_TRUE(options.trace.empty());
  EXPECT_EQ(options.log_events, LogEvents::all);
  EXPECT_TRUE(options.log_path.empty());
  EXPECT_EQ(options.log_format, LogFormat::text);
  EXPECT_TRUE(options.log_socket.empty());
  EXPECT_FALSE(options.log_repeats);
  EXPECT_EQ(options.stop_on_overlap, Stop::no);
  EXPECT_TRUE(options.tracer.empty());
  EXPECT_EQ(options.stacks, Stacks::all);
  EXPECT_EQ(options.depth, 32u);
  EXPECT_TRUE(options.follow);
  EXPECT_EQ(options.max_size, 256u << 20);
  EXPECT_EQ(options.max_run, 0u);
  EXPECT_EQ(options.keep, Keep::first);
  EXPECT_FALSE(options.help);
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, EveryKeyIsUnderstood) {
  const Options options = parsed(
      "log=/tmp/x.%p:trace=/run/t:stacks=changes:depth=7:follow=no:max_size=1M:"
      "max_run=2G:keep=latest:help=1:tracer=umaskaudit-x.7:"
      "log_events=findings:log_path=/srv/*:log_repeats=yes:stop_on_overlap=trap:"
      "log_format=json:log_socket=/run/log");
  EXPECT_EQ(options.log_format, LogFormat::json);
  EXPECT_TRUE(options.log_socket.is("/run/log"));
  EXPECT_EQ(options.stop_on_overlap, Stop::trap);
  EXPECT_EQ(options.log_events, LogEvents::findings);
  EXPECT_TRUE(options.log_path.is("/srv/*"));
  EXPECT_TRUE(options.log_repeats);
  EXPECT_TRUE(options.log.is("/tmp/x.%p"));
  EXPECT_TRUE(options.trace.is("/run/t"));
  EXPECT_TRUE(options.tracer.is("umaskaudit-x.7"));
  EXPECT_EQ(options.stacks, Stacks::changes);
  EXPECT_EQ(options.depth, 7u);
  EXPECT_FALSE(options.follow);
  EXPECT_EQ(options.max_size, 1u << 20);
  EXPECT_EQ(options.max_run, std::uint64_t{2} << 30);
  EXPECT_EQ(options.keep, Keep::latest);
  EXPECT_TRUE(options.help);
  EXPECT_EQ(complaints, Complaints{});
}

// The list that help=1 prints is the list that is parsed.
TEST(Options, DescribedAreExactlyTheKnown) {
  static std::set<std::string> names;
  describe_options([](const char* name, const char* help) {
    EXPECT_GT(std::string(help).size(), 10u) << name;
    names.insert(name);
  });
  const std::set<std::string> expected = {
      "log",        "log_events", "log_path",      "log_repeats", "trace",    "stacks",
      "scripts",    "depth",      "follow",        "max_size",    "max_run",  "keep",
      "fold",       "help",       "tracer_filter", "tracer",      "recorder", "stop_on_overlap",
      "log_format", "log_socket"};
  EXPECT_EQ(names, expected);
}

TEST(Options, DashAndUnderscoreAreTheSameInKeys) {
  EXPECT_EQ(parsed("max-size=2M").max_size, 2u << 20);
  EXPECT_EQ(parsed("max_size=2M").max_size, 2u << 20);
  EXPECT_TRUE(parsed("trace=a-b_c").trace.is("a-b_c"));
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, SaysEachKindOfYesAndNo) {
  for (const char* yes : {"yes", "1", "true", "on"}) {
    EXPECT_TRUE(parsed(std::string("help=") + yes).help) << yes;
  }
  for (const char* no : {"no", "0", "false", "off"}) {
    EXPECT_FALSE(parsed(std::string("follow=") + no).follow) << no;
  }
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, StacksHasThreeValues) {
  EXPECT_EQ(parsed("stacks=none").stacks, Stacks::none);
  EXPECT_EQ(parsed("stacks=changes").stacks, Stacks::changes);
  EXPECT_EQ(parsed("stacks=none:stacks=all").stacks, Stacks::all);
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, NumbersTakeSuffixes) {
  EXPECT_EQ(parsed("max_size=12345").max_size, 12345u);
  EXPECT_EQ(parsed("max_size=64K").max_size, 64u << 10);
  EXPECT_EQ(parsed("max_size=3M").max_size, 3u << 20);
  EXPECT_EQ(parsed("max_size=1G").max_size, 1u << 30);
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, DepthStaysWithinWhatAStackHasRoomFor) {
  EXPECT_EQ(parsed("depth=0").depth, 1u);
  EXPECT_EQ(parsed("depth=64").depth, 64u);
  EXPECT_EQ(parsed("depth=65").depth, 64u);
  EXPECT_EQ(parsed("depth=1000000000").depth, 64u);
}

class BadValue : public testing::TestWithParam<const char*> {};

// Every bad value is named as it was typed, and the rest of the line still counts.
TEST_P(BadValue, IsNamedAndSkipped) {
  const std::string pair = GetParam();
  const std::size_t equals = pair.find('=');
  const Options options = parsed("follow=no:" + pair + ":trace=/still/read");
  ASSERT_EQ(complaints.size(), 1u);
  std::string key = pair.substr(0, equals + 1);
  for (char& c : key) c = c == '-' ? '_' : c;
  EXPECT_EQ(complaints[0], "bad value for " + key + "|" + pair.substr(equals + 1));
  EXPECT_EQ(options.depth, 32u);
  EXPECT_EQ(options.max_size, 256u << 20);
  EXPECT_EQ(options.stacks, Stacks::all);
  EXPECT_FALSE(options.help);
  EXPECT_FALSE(options.follow);
  EXPECT_TRUE(options.trace.is("/still/read"));
}

INSTANTIATE_TEST_SUITE_P(Each, BadValue,
                         testing::Values("depth=", "depth=x", "depth=-1", "depth=+1", "depth= 8",
                                         "depth=8 ", "depth=0x10", "depth=1e3",
                                         "depth=99999999999999999999", "max-size=1T", "max_size=1k",
                                         "max_size=1KK", "max_size=M", "max_size=1MB",
                                         "max_size=17179869184G", "max_size=11258999068426240G",
                                         "stacks=", "stacks=ALL", "stacks=change", "stacks=all ",
                                         "help=", "help=2", "help=Yes", "help=y", "help=noo"));

TEST(Options, UnknownKeysAreNamed) {
  parsed("tarce=/x:depth=3:DEPTH=4:=5:log_=off");
  EXPECT_EQ(complaints, (Complaints{"unknown option|tarce", "unknown option|DEPTH",
                                    "unknown option|", "unknown option|log_"}));
  EXPECT_EQ(parsed("nonsense=1:depth=3").depth, 3u);
}

TEST(Options, AKeyAloneIsNoOption) {
  parsed("help:depth=3:trace");
  EXPECT_EQ(complaints,
            (Complaints{"option without a value|help", "option without a value|trace"}));
}

TEST(Options, EmptyPartsMeanNothing) {
  EXPECT_EQ(parsed(":::depth=3::").depth, 3u);
  EXPECT_EQ(complaints, Complaints{});
}

TEST(Options, TheLastOfTwoCounts) {
  EXPECT_EQ(parsed("depth=3:depth=5").depth, 5u);
  EXPECT_TRUE(parsed("trace=/long/one:trace=/b").trace.is("/b"));
  EXPECT_EQ(parsed("depth=3:depth=x").depth, 3u);
}

TEST(Options, ValuesMayHoldEqualsSigns) { EXPECT_TRUE(parsed("trace=a=b").trace.is("a=b")); }

TEST(Options, TextThatDoesNotFitIsRefusedWhole) {
  const std::string longest(Text::kSize - 1, 'a');
  EXPECT_TRUE(parsed("trace=" + longest).trace.is(longest.c_str()));
  EXPECT_EQ(complaints.size(), 0u);
  EXPECT_TRUE(parsed("trace=" + longest + "a").trace.empty());
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_EQ(complaints[0], "bad value for trace=|" + longest + "a");
}

}  // namespace

}  // namespace umaskaudit::shim
