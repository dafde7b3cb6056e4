// What inspect_program() and `doctor` say of real files, and output files that are all or nothing.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "reporter/base/output_file.h"
#include "reporter/inspect/program.h"
#include "tests/unit/commands/command_line.h"
#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::inspect {
namespace {

using testing::Outcome;
using testing::tool;

class Programs : public ::testing::Test {
 protected:
  std::string script(const std::string& name, const std::string& text) const {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), 0755);
    return path;
  }
  testing::RunDirectory folder_;
};

TEST_F(Programs, OrdinaryOnesCanBeAudited) {
  const ProgramFacts facts = inspect_program("sh");
  EXPECT_EQ(facts.obstacle, Obstacle::none);
  EXPECT_EQ(facts.path.substr(facts.path.rfind('/')), "/sh");
  EXPECT_EQ(inspect_program("/proc/self/exe").obstacle, Obstacle::none);
}

TEST_F(Programs, StaticOnesCannot) {
  EXPECT_EQ(inspect_program(STATIC_PROGRAM).obstacle, Obstacle::static_link);
  const Outcome outcome = tool({"doctor", STATIC_PROGRAM});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("static"), std::string::npos);
}

TEST_F(Programs, ScriptsAreJudgedByTheirInterpreter) {
  const std::string direct = script("direct", "#! " STATIC_PROGRAM " -x\n");
  EXPECT_EQ(inspect_program(direct).obstacle, Obstacle::static_link);
  const ProgramFacts through_env = inspect_program(script("env", "#!/usr/bin/env sh\n"));
  EXPECT_EQ(through_env.obstacle, Obstacle::none);
  ASSERT_EQ(through_env.interpreters.size(), 2u);
  EXPECT_EQ(through_env.interpreters[0], "/usr/bin/env");
  EXPECT_EQ(inspect_program(script("gone", "#!/no/such/interpreter\n")).obstacle,
            Obstacle::not_found);
  const std::string loop = folder_.path() + "/loop";
  EXPECT_EQ(inspect_program(script("loop", "#!" + loop + "\n")).interpreters.size(), 5u)
      << "bounded";
}

TEST_F(Programs, HostileHeadersAreNoTrap) {
  std::string elf(
      "\x7f"
      "ELF\x02\x01\x01",
      7);
  elf.resize(64, '\xff');
  EXPECT_NE(inspect_program(script("short", elf)).obstacle, Obstacle::none);
  EXPECT_EQ(inspect_program(script("stub", "#!")).obstacle, Obstacle::none);
  EXPECT_EQ(inspect_program(script("empty", "")).obstacle, Obstacle::none);
}

TEST_F(Programs, WhatIsNotThereIsSaid) {
  EXPECT_EQ(inspect_program("no-such-program-anywhere").obstacle, Obstacle::not_found);
  std::ofstream(folder_.path() + "/plain") << "text";
  EXPECT_EQ(inspect_program(folder_.path() + "/plain").obstacle, Obstacle::not_executable);
}

TEST_F(Programs, ForeignSetuidOnesCannot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a foreign setuid program";
  const std::string copy = folder_.path() + "/setuid";
  std::filesystem::copy_file(std::filesystem::canonical("/bin/sh"), copy);
  ASSERT_EQ(chown(copy.c_str(), 12345, 12345), 0);
  ASSERT_EQ(chmod(copy.c_str(), 04755), 0);
  EXPECT_EQ(inspect_program(copy).obstacle, Obstacle::privileged);
  ASSERT_EQ(chmod(copy.c_str(), 0755), 0);
  EXPECT_EQ(inspect_program(copy).obstacle, Obstacle::none);
}

TEST_F(Programs, AStaticRunIsReadableAndSaysWhy) {
  const std::string run = folder_.path() + "/run";
  setenv("UMASKAUDIT_LIBRARY", STUB_LIBRARY, 1);
  const Outcome recorded = tool({"run", "-o", run, "--", STATIC_PROGRAM, folder_.path()});
  EXPECT_NE(recorded.err.find("cannot be audited"), std::string::npos) << recorded.err;
  const Outcome text = tool({"report", run});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("exec-static"), std::string::npos);
  const Outcome lines = tool({"report", run, "--format", "jsonl"});
  EXPECT_EQ(lines.code, 0);
  EXPECT_NE(lines.out.find("\"type\":\"blind_spot\""), std::string::npos);
}

TEST_F(Programs, OutputIsPrivateAndAllOrNothing) {
  const std::string path = folder_.path() + "/out";
  umask(0);
  {
    auto file = OutputFile::create(path);
    ASSERT_TRUE(file);
    file->stream() << "half";
    file->stream().flush();
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "an abandoned file goes away";
  auto file = OutputFile::create(path);
  ASSERT_TRUE(file);
  file->stream() << std::string(200000, 'x');
  EXPECT_TRUE(file->commit());
  umask(022);
  EXPECT_EQ(std::filesystem::file_size(path), 200000u);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(OutputFile::create("/no/such/folder/file"));
  EXPECT_EQ(tool({"report", "/nowhere", "-o", "/no/such/file"}).code, 3);
}

}  // namespace
}  // namespace umaskaudit::inspect
