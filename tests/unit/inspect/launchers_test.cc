// Which program a launcher starts, by its words alone.
#include "reporter/inspect/launchers.h"

#include <gtest/gtest.h>

#include <sstream>

namespace umaskaudit::inspect {
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

TEST(Launchers, SomeStartItAsAnotherUser) {
  EXPECT_EQ(started("runuser -u www -- prog -x"), "prog");
  EXPECT_EQ(started("runuser www -c prog"), "");
  EXPECT_EQ(started("su www -c prog"), "");
  EXPECT_EQ(started("setpriv --reuid=5 --clear-groups prog"), "prog");
  EXPECT_EQ(started("setpriv --reuid 5 prog"), "prog");
  EXPECT_EQ(started("gosu www prog"), "prog");
  EXPECT_EQ(started("su-exec www:www prog"), "prog");
  EXPECT_EQ(started("start-stop-daemon --start -c www --exec prog -- -x"), "prog");
  EXPECT_EQ(started("start-stop-daemon -S -p /run/x -x prog"), "prog");
  const auto becomes = [](const char* line) { return started_program(words(line)).changes_user; };
  for (const char* line :
       {"runuser -u www prog", "su www -c prog", "setpriv --reuid=5 prog", "gosu www prog",
        "sudo prog", "chroot --userspec=www /jail prog", "start-stop-daemon -S -c www -x prog"}) {
    EXPECT_TRUE(becomes(line)) << line;
  }
  for (const char* line : {"setpriv --no-new-privs prog", "env prog", "chroot /jail prog",
                           "start-stop-daemon -S -x prog -- -c www"}) {
    EXPECT_FALSE(becomes(line)) << line;
  }
}

TEST(Launchers, ChrootStartsItInAnotherRoot) {
  EXPECT_EQ(started("chroot /jail prog"), "prog");
  EXPECT_TRUE(started_program(words("chroot /jail prog")).changes_root);
  EXPECT_FALSE(started_program(words("env prog")).changes_root);
}

}  // namespace
}  // namespace umaskaudit::inspect
