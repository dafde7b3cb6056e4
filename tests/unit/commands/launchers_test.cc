// Which program a launcher starts, by its words alone.
#include "reporter/commands/launchers.h"

#include <gtest/gtest.h>

#include <sstream>

namespace umaskaudit {
namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

// What the command starts: empty for none.
std::string started(const std::string& line) {
  const std::vector<std::string> command = words(line);
  const Launch launch = started_program(command);
  return launch.program == 0 ? "" : command.at(launch.program);
}

bool cleans(const std::string& line) { return started_program(words(line)).cleans_environment; }

TEST(Launchers, OptionsAndAssignmentsAreNotTheProgram) {
  EXPECT_EQ(started("env prog -x"), "prog");
  EXPECT_EQ(started("/usr/bin/env -i A=b C=d prog"), "prog");
  EXPECT_EQ(started("env -u NAME -C / prog"), "prog");
  EXPECT_EQ(started("env -uNAME --chdir=/ -- prog"), "prog");
  EXPECT_EQ(started("env -vu NAME prog"), "prog");
  EXPECT_EQ(started("env --unset NAME --chdir / prog"), "prog");
  EXPECT_EQ(started("env -S prog"), "prog");
  EXPECT_EQ(started("nice -n 5 prog"), "prog");
  EXPECT_EQ(started("nice --adjustment 5 prog"), "prog");
  EXPECT_EQ(started("nice prog"), "prog");
  EXPECT_EQ(started("timeout -k 1 -s KILL 5 prog"), "prog");
  EXPECT_EQ(started("timeout --foreground 5m prog"), "prog");
  EXPECT_EQ(started("timeout --signal KILL --kill-after=1 5 prog"), "prog");
  EXPECT_EQ(started("stdbuf -oL prog"), "prog");
  EXPECT_EQ(started("stdbuf --output L prog"), "prog");
  EXPECT_EQ(started("setsid -w prog"), "prog");
  EXPECT_EQ(started("nohup prog"), "prog");
  EXPECT_EQ(started("sudo -u www -E A=b prog"), "prog");
  EXPECT_EQ(started("sudo -A -n --user www prog"), "prog");
}

TEST(Launchers, OthersStartNothing) {
  EXPECT_EQ(started("sh -c prog"), "");
  EXPECT_EQ(started("env"), "");
  EXPECT_EQ(started("env -i"), "");
  EXPECT_EQ(started("timeout 5"), "");
  EXPECT_EQ(started(""), "");
  EXPECT_EQ(started("env -u"), "");
}

TEST(Launchers, SomeCleanTheEnvironment) {
  EXPECT_TRUE(cleans("env -i prog"));
  EXPECT_TRUE(cleans("env - prog"));
  EXPECT_TRUE(cleans("env -iv prog"));
  EXPECT_TRUE(cleans("env --ignore-environment prog"));
  EXPECT_TRUE(cleans("sudo prog"));
  EXPECT_FALSE(cleans("env A=b prog -i"));
  EXPECT_FALSE(cleans("env -uid prog"));
  EXPECT_FALSE(cleans("env -- prog -i"));
  EXPECT_FALSE(cleans("nice prog -i"));
}

}  // namespace
}  // namespace umaskaudit
