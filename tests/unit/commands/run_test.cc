// `run`: CMD cannot tell, and its exit is ours. A stub stands for the library: nothing is recorded.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "preload/trace/format.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_store.h"
#include "tests/unit/commands/command_line.h"
#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::commands {
namespace {

using testing::Outcome;
using testing::SegmentBuilder;
using testing::tool;

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

class RunCommand : public ::testing::Test {
 protected:
  RunCommand() {
    setenv("UMASKAUDIT_LIBRARY", STUB_LIBRARY, 1);
    unsetenv("UMASKAUDIT_OPTIONS");
    unsetenv("LD_PRELOAD");
  }
  ~RunCommand() override { umask(022); }

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  // run -o FOLDER/run [options] -- sh -c SCRIPT, with $1 = FOLDER; whatever was recorded there
  // before is replaced unless `earlier` is empty or says otherwise
  Outcome shell(const std::string& script, std::vector<std::string> options = {},
                const std::string& earlier = "--force") const {
    std::vector<std::string> words = {"run", "-q", "-o", path("run")};
    words.insert(words.end(), options.begin(), options.end());
    if (!earlier.empty()) words.push_back(earlier);
    for (const char* word : {"--", "sh", "-c"}) words.emplace_back(word);
    words.push_back(script);
    words.emplace_back("sh");
    words.push_back(folder_.path());
    return tool(words);
  }

  testing::RunDirectory folder_;
};

TEST_F(RunCommand, ExitsAsTheProgramDid) {
  for (const int code : {0, 1, 42, 255})
    EXPECT_EQ(shell("exit " + std::to_string(code)).code, code);
  EXPECT_EQ(shell("kill -TERM $$").code, 128 + SIGTERM);
  EXPECT_EQ(shell("kill -KILL $$").code, 128 + SIGKILL);
}

TEST_F(RunCommand, SaysAsEnvDoesWhyAProgramDidNotRun) {
  EXPECT_EQ(tool({"run", "-o", path("a"), "--", "/no/such/program"}).code, 127);
  EXPECT_FALSE(std::filesystem::exists(path("a"))) << "no empty directory stays behind";
  std::ofstream(path("text")) << "text";
  EXPECT_EQ(tool({"run", "-o", path("b"), "--", path("text")}).code, 126);
  std::ofstream(path("file")) << "text";
  EXPECT_EQ(tool({"run", "-o", path("file"), "--", "true"}).code, 125);
}

TEST_F(RunCommand, WordsBehindTheProgramAreItsOwn) {
  EXPECT_EQ(shell("test \"$2\" = '[a,b]'").code, 1);
  const std::string script = "printf '<%s>' \"$@\" > " + path("out");
  tool({"run", "-q", "--force", "-o", path("run"), "sh", "-c", script, "sh", "[a,b]", "++",
        "--help", "--"});
  EXPECT_EQ(slurp(path("out")), "<[a,b]><++><--help><-->");
}

// The name by which children of other users ask for their segments is another one in each run.
std::string without_recorder(const std::string& text) {
  return std::regex_replace(text, std::regex(":recorder=umaskaudit-run-[0-9a-f.]+"), "");
}

TEST_F(RunCommand, KeepsWhatIsPreloadedAndAddsItself) {
  setenv("LD_PRELOAD", STUB_LIBRARY, 1);
  setenv("UMASKAUDIT_OPTIONS", "depth=7", 1);
  shell("echo $LD_PRELOAD $UMASKAUDIT_OPTIONS > $1/out", {"--stacks", "none", "--options", "a=b"});
  unsetenv("LD_PRELOAD");
  const std::string stub = STUB_LIBRARY;
  EXPECT_EQ(without_recorder(slurp(path("out"))),
            stub + ":" + stub + " log=off:depth=7:stacks=none:a=b:trace=" +
                std::filesystem::canonical(path("run")).string() + "\n");
}

TEST_F(RunCommand, PassesWhatIsKeptAndItsBounds) {
  shell("echo $UMASKAUDIT_OPTIONS > $1/out",
        {"--keep", "latest", "--max-size", "4M", "--max-run", "64M"});
  const std::string wanted = "log=off:keep=latest:max_size=4M:max_run=64M:trace=";
  EXPECT_EQ(without_recorder(slurp(path("out"))).substr(0, wanted.size()), wanted);
}

TEST_F(RunCommand, TheDirectoryIsPrivateWhateverTheUmask) {
  for (const mode_t mask : {0, 0777}) {
    umask(mask);
    shell("true");
    EXPECT_EQ(mode_of(path("run")), 0700u);
    EXPECT_EQ(mode_of(path("run/run.json")), 0600u);
    EXPECT_EQ(mode_of(path("run/run.state")), 0600u);
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(RunCommand, LeavesForeignDirectoriesAlone) {
  std::filesystem::create_directory(path("run"));
  std::ofstream(path("run/precious")) << "data";
  const mode_t before = mode_of(path("run"));
  const Outcome outcome = shell("exit 7");
  EXPECT_EQ(outcome.code, 125);
  EXPECT_NE(outcome.err.find("'precious'"), std::string::npos) << outcome.err;
  EXPECT_EQ(mode_of(path("run")), before);
}

TEST_F(RunCommand, ARunIsAddedToOrReplacedOnlyOnDemand) {
  EXPECT_EQ(shell("exit 3", {}, "").code, 3);
  std::ofstream(path("run/1-0000000000000001.seg")) << "an older segment";
  const std::string record = slurp(path("run/run.json"));
  const Outcome refused = shell("touch $1/ran", {}, "");
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.err.find("it holds a run already"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--append"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(path("ran")));
  EXPECT_EQ(slurp(path("run/run.json")), record);
  EXPECT_EQ(shell("exit 4", {}, "--append").code, 4);
  EXPECT_EQ(slurp(path("run/1-0000000000000001.seg")), "an older segment");
  EXPECT_EQ(shell("exit 5", {}, "--force").code, 5);
  EXPECT_FALSE(std::filesystem::exists(path("run/1-0000000000000001.seg")));
  EXPECT_EQ(nlohmann::json::parse(slurp(path("run/run.json")))["exit_code"], 5);
  EXPECT_EQ(shell("true", {"--append"}, "--force").code, 2);
}

TEST_F(RunCommand, ARunThatIsBeingRecordedIsNotRemoved) {
  ASSERT_EQ(mkfifo(path("end").c_str(), 0600), 0);
  const int end =
      open(path("end").c_str(), O_RDWR | O_CLOEXEC);  // so open(2) does not wait for a writer
  ASSERT_GE(end, 0);
  const pid_t child = fork();
  if (child == 0) _exit(shell("touch $1/go; read -r line < $1/end", {}).code);
  ASSERT_GT(child, 0);
  int status = 0;
  bool runs = true;
  while (runs && !std::filesystem::exists(path("go"))) {
    sched_yield();
    runs = waitpid(child, &status, WNOHANG) == 0;
  }
  ASSERT_TRUE(runs) << "the first run ended with " << status;
  const Outcome refused = shell("true", {}, "--force");
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.err.find("still records into it"), std::string::npos) << refused.err;
  EXPECT_EQ(write(end, "\n", 1), 1);
  waitpid(child, &status, 0);
  close(end);
  EXPECT_EQ(shell("exit 6", {}, "--force").code, 6);
}

TEST_F(RunCommand, ADirectoryThatWasEmptyIsEmptyAgainWhenNothingStarted) {
  std::filesystem::create_directory(path("empty"));
  EXPECT_EQ(tool({"run", "-o", path("empty"), "--", "/no/such/program"}).code, 127);
  EXPECT_TRUE(std::filesystem::is_empty(path("empty")));
}

TEST_F(RunCommand, TheDefaultDirectoryIsAFreeOne) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(*record::new_run_path("/bin/a:b", 7), ".umaskaudit/a_b.7");
  std::filesystem::create_directory(".umaskaudit/a_b.7");
  std::filesystem::create_directory(".umaskaudit/a_b.7.2");
  EXPECT_EQ(*record::new_run_path("/bin/a:b", 7), ".umaskaudit/a_b.7.3");
  EXPECT_EQ(*record::new_run_path("/bin/.hidden", 7), ".umaskaudit/_.hidden.7");
  std::filesystem::current_path(before);
}

TEST_F(RunCommand, RemembersHowItWasStarted) {
  umask(027);
  shell("exit 5");
  auto record = nlohmann::json::parse(slurp(path("run/run.json")));
  EXPECT_EQ(record["command"], "sh");
  EXPECT_EQ(record["umask"], "0027");
  EXPECT_EQ(record["exit_code"], 5);
  EXPECT_EQ(record["cwd"], std::filesystem::current_path().string());
  EXPECT_FALSE(record.contains("argv")) << "secrets";
  shell("exit 0", {"--record-argv"});
  record = nlohmann::json::parse(slurp(path("run/run.json")));
  EXPECT_EQ(record["argv"][3], "sh");
}

TEST_F(RunCommand, ColonsInTheNameAreRefused) {
  EXPECT_EQ(tool({"run", "-o", path("a:b"), "--", "true"}).code, 125);
}

// What a program sees of its signals and descriptors, from inside.
std::string inner_view(const std::string& out, bool audited, const std::string& run) {
  const std::string script =
      "grep -E \"Sig(Blk|Ign)\" /proc/self/status >" + out + "; ls /proc/self/fd >>" + out;
  const pid_t child = fork();
  if (child == 0) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    signal(SIGINT, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (audited) _exit(tool({"run", "-q", "-o", run, "--", "sh", "-c", script}).code);
    execlp("sh", "sh", "-c", script.c_str(), static_cast<char*>(nullptr));
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return slurp(out) + std::to_string(status);
}

TEST_F(RunCommand, SignalsAndDescriptorsAreInherited) {
  const std::string bare = inner_view(path("bare"), false, path("run"));
  EXPECT_NE(bare.find("SigIgn"), std::string::npos);
  EXPECT_EQ(inner_view(path("audited"), true, path("run")), bare);
}

TEST_F(RunCommand, HandsSigtermOnAndSurvivesSigint) {
  const std::string fifo = path("ready");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    // The background process says itself that it is there: a shell that was just forked would still
    // have the trap, and outlive the kill.
    _exit(shell("trap 'kill $!; exit 9' TERM; "
                "sh -c 'echo up > $1/ready; exec sleep 1000' sh $1 & wait")
              .code);
  }
  EXPECT_EQ(slurp(fifo), "up\n");  // blocks until the program is there
  kill(child, SIGINT);             // what a terminal would send to the program as well
  kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
}

// A process id that is certainly dead, and stays unused for a while.
std::uint32_t dead_pid() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return static_cast<std::uint32_t>(child);
}

class Trim : public ::testing::Test {
 protected:
  // A sparse segment of 1 MiB of which the builder's records are used.
  std::string add(std::uint32_t pid) {
    SegmentBuilder segment(pid);
    begin_image(&segment, "app");
    folder_.add(segment);
    const std::string file = folder_.path() + "/" + segment.name();
    EXPECT_EQ(truncate(file.c_str(), 1 << 20), 0);
    return file;
  }
  testing::RunDirectory folder_;
};

TEST_F(Trim, CutsSegmentsOfTheDead) {
  const std::string file = add(dead_pid());
  EXPECT_EQ(record::SegmentTrimmer(folder_.path()).finish(), 0u);
  EXPECT_EQ(std::filesystem::file_size(file), 4096u);
  EXPECT_EQ(tool({"report", folder_.path()}).code, 0);
}

TEST_F(Trim, LeavesSegmentsThatSomebodyMaps) {
  const std::string file = add(dead_pid());
  const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  ASSERT_NE(at, MAP_FAILED);
  EXPECT_EQ(record::SegmentTrimmer(folder_.path()).finish(), 1u);
  EXPECT_EQ(std::filesystem::file_size(file), 1u << 20);
  munmap(at, 4096);
  EXPECT_EQ(record::SegmentTrimmer(folder_.path()).finish(), 0u);
  EXPECT_EQ(std::filesystem::file_size(file), 4096u);
}

// The process runs another program by now. Where the kernel does not tell who maps a file, what
// belongs to a living process stays.
TEST_F(Trim, CutsSegmentsThatALivingProcessLeft) {
  const std::string file = add(static_cast<std::uint32_t>(getpid()));
  struct statfs filesystem {};
  ASSERT_EQ(statfs(folder_.path().c_str(), &filesystem), 0);
  const bool overlay = filesystem.f_type == OVERLAYFS_SUPER_MAGIC;
  EXPECT_EQ(record::SegmentTrimmer(folder_.path()).finish(), 1u);  // something runs on
  EXPECT_EQ(std::filesystem::file_size(file), overlay ? 1u << 20 : 4096u);
}

}  // namespace
}  // namespace umaskaudit::commands
