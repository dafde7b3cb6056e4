// The command line as a whole: help, versions, mistakes, and whose words are whose.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "reporter/commands/command.h"
#include "tests/unit/commands/command_line.h"

namespace umaskaudit::commands {
namespace {

using testing::Outcome;
using testing::tool;

void expect_mistake(const std::vector<std::string>& arguments, const std::string& named) {
  const Outcome outcome = tool(arguments);
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("umaskaudit: error: ", 0), 0u) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << "one line: " << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("; try "), std::string::npos) << outcome.err;
}

TEST(CommandLine, MistakesGetOneLine) {
  expect_mistake({"bogus"}, "'bogus'");
  expect_mistake({"--bogus"}, "'--bogus'");
  expect_mistake({"report"}, "RUN");
  expect_mistake({"report", "run", "extra"}, "'extra'");
  expect_mistake({"report", "run", "--format", "bogus"}, "'bogus'");
  expect_mistake({"report", "run", "--tid", "x"}, "--tid");
  expect_mistake({"report", "run", "--since", "soon"}, "'soon'");
  expect_mistake({"run"}, "no program");
  expect_mistake({"run", "--depth", "65", "true"}, "--depth");
  expect_mistake({"run", "--max-size", "3Q", "true"}, "--max-size");
  expect_mistake({"run", "--max-run", "", "true"}, "--max-run");
  expect_mistake({"run", "--keep", "oldest", "true"}, "'oldest'");
  expect_mistake({"snapshot", "run"}, "--output");
  expect_mistake({"bog\x1b[31m\nus"}, "'bog\\x1b[31m\\nus'");
}

TEST(CommandLine, EveryCommandNamesAnUnknownOption) {
  for (const Command& command : commands()) {
    SCOPED_TRACE(command.name);
    expect_mistake({command.name, "--no-such-option"}, "'--no-such-option'");
  }
}

TEST(CommandLine, EveryCommandHasHelpWithAnExample) {
  for (const Command& command : commands()) {
    const Outcome outcome = tool({command.name, "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_NE(outcome.out.find(std::string("Usage: umaskaudit ") + command.name),
              std::string::npos);
    EXPECT_NE(outcome.out.find(command.example), std::string::npos);
  }
}

TEST(CommandLine, SaysItsVersionAndListsItsCommands) {
  EXPECT_EQ(tool({"--version"}).out.rfind("umaskaudit ", 0), 0u);
  const std::string help = tool({"--help"}).out;
  EXPECT_NE(help.find("report"), std::string::npos);
  EXPECT_EQ(help.find("completions"), std::string::npos) << "hidden";
}

TEST(CommandLine, RunsThatCannotBeReadExitThree) {
  const Outcome outcome = tool({"report", "/nowhere/at/all"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.err.find("'/nowhere/at/all'"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("No such file"), std::string::npos) << outcome.err;
}

// A path may be named like a command.
TEST(CommandLine, ArgumentsAreNoCommands) {
  EXPECT_EQ(tool({"report", "report"}).code, 3);
  EXPECT_EQ(tool({"blame", "threads", "report"}).code, 3);
}

// A page of the manual, with the parts that it shares with others.
std::string manual_page(const std::string& name) {
  const std::string mark = "@include ";
  std::ifstream file(MANUAL "/" + name);
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(mark, 0) == 0)
      text += manual_page("parts/" + line.substr(mark.size()));
    else
      text += line + "\n";
  }
  return text;
}

// Every command has a page that names each of its options, so that none can fall behind.
TEST(Manual, NamesEveryOption) {
  const std::string overview = manual_page("umaskaudit.1.scd");
  for (const Command& command : commands()) {
    if (std::string(command.name) == "completions") continue;
    const std::string page = std::string("umaskaudit-") + command.name;
    EXPECT_NE(overview.find("*" + page + "*(1)"), std::string::npos) << page;
    const std::string manual = manual_page(page + ".1.scd");
    EXPECT_EQ(manual.rfind(page + "(1)\n", 0), 0u) << page;
    CLI::App app;
    const Action keeps_options_alive = command.configure(app);
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames())
        EXPECT_NE(manual.find("*--" + name), std::string::npos) << command.name << " --" << name;
      for (const std::string& name : option->get_snames())
        EXPECT_NE(manual.find("*-" + name + "*"), std::string::npos)
            << command.name << " -" << name;
    }
  }
}

// What bash itself makes of the stored script.
std::string complete(const std::string& words) {
  const std::string script = "source \"" COMPLETIONS "/umaskaudit.bash\"; COMP_WORDS=(" + words +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _umaskaudit; "
                             "echo \"${COMPREPLY[*]}\"";
  FILE* pipe = popen(("bash -c '" + script + "'").c_str(), "r");
  std::string out;
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  if (pipe != nullptr) pclose(pipe);
  return out;
}

TEST(Completions, WorkInBash) {
  EXPECT_EQ(complete("umaskaudit rep"), "report\n");
  EXPECT_EQ(complete("umaskaudit report --format j"), "jsonl json junit\n");
  EXPECT_EQ(complete("umaskaudit report --form"), "--format\n");
  EXPECT_EQ(complete("umaskaudit run --stacks ch"), "changes\n");
}

}  // namespace
}  // namespace umaskaudit::commands
