// `explain` and `umask` as a shell sees them: what they print, their exit codes, and that no mask
// is changed to read it. The linker sends every umask(2) of the tool through the counter below.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "reporter/commands/cli.h"
#include "reporter/mode/calculus.h"
#include "tests/unit/mode/sandbox.h"
#include "tests/unit/reader/segment_builder.h"

namespace {
int umask_calls = 0;
}

// The names that ld(1) gives them for --wrap=umask.
extern "C" mode_t real_umask(mode_t mask) __asm__("__real_umask");
extern "C" mode_t counted_umask(mode_t mask) __asm__("__wrap_umask");
mode_t counted_umask(mode_t mask) {
  ++umask_calls;
  return real_umask(mask);
}

namespace umaskaudit::commands {
namespace {

using namespace testing_support;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Said {
  int code = 0;
  std::string out;
  std::string err;
};

Said say(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out, .err = err};
  const int code = run_cli(arguments, console);
  return {code, out.str(), err.str()};
}

// Standard output of the tool in a child with its own mask: what replaces the child prints there.
std::string said_under(Mode mask, const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    real_umask(mask);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    const Said said = say(arguments);
    const std::string text = said.out + "code " + std::to_string(said.code) + "\n";
    ::_exit(::write(STDOUT_FILENO, text.data(), text.size()) < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return text;
}

TEST(ExplainCommand, ShowsBitsStepsAndSentence) {
  const Said said = say({"explain", "0666", "0022"});
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(
      said.out,
      "0666 & ~0022 = 0644\n"
      "\n"
      "              OCTAL  BINARY       RWX\n"
      "  mask        0022   000 010 010  ----w--w-\n"
      "  complement  0755   111 101 101  rwxr-xr-x\n"
      "  request     0666   110 110 110  rw-rw-rw-\n"
      "  AND         0644   110 100 100  rw-r--r--\n"
      "  result      0644   110 100 100  rw-r--r--\n"
      "\n"
      "  STEP       SETS  CLEARS  MODE  RWX        WHY\n"
      "  requested  0666  -       0666  rw-rw-rw-  what the program asks for\n"
      "  umask      -     0022    0644  rw-r--r--  the mask takes bits away, it never adds any\n"
      "\n"
      "The owner may read and write it; everybody else may read it.\n");
}

TEST(ExplainCommand, TakesSymbolicNotationAndAcl) {
  const Said said = say({"explain", "a=rw", "u=rwx,g=rx,o=", "--acl", "u::7,g::5,o::-"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, HasSubstr("default-acl  -     0026    0640"));
  EXPECT_THAT(said.out, Not(HasSubstr("umask  ")));
}

TEST(ExplainCommand, ShowsWhatMkdirIgnores) {
  const Said said = say({"explain", "--dir", "02775", "0022"});
  EXPECT_THAT(said.out, StartsWith("2775 less ignored 2000 & ~0022 = 0755\n"));
  EXPECT_THAT(said.out, HasSubstr("  request     2775   010 111 111 101  rwxrwsr-x\n"
                                  "  honoured    0775   000 111 111 101  rwxrwxr-x\n"
                                  "  AND         0755   000 111 101 101  rwxr-xr-x\n"));
}

TEST(ExplainCommand, UsesTheCallersMaskWhereNoneIsGiven) {
  EXPECT_THAT(said_under(0137, {"explain", "0777"}), StartsWith("0777 & ~0137 = 0640\n"));
}

// The prediction for a real directory against an object made there.
TEST(ExplainCommand, ParentIsTheRealDirectory) {
  const ScratchDirectory scratch(temporary_base());
  const std::string& parent = scratch.path();
  ASSERT_EQ(::chmod(parent.c_str(), 02755), 0);
  for (const bool with_acl : {false, true}) {
    if (with_acl && !set_default_acl(parent, encode_acl(7, 7, 1, 5))) {
      GTEST_SKIP() << temporary_base() << " takes no default ACL";
    }
    const std::string made = parent + (with_acl ? "/acl" : "/plain");
    const mode_t before = real_umask(0027);
    ASSERT_EQ(::mkdir(made.c_str(), 0776), 0);
    real_umask(before);
    struct stat facts {};
    ASSERT_EQ(::stat(made.c_str(), &facts), 0);
    char octal[16];
    std::snprintf(octal, sizeof octal, "%04o", facts.st_mode & 07777);
    const Said said = say({"explain", "--dir", "0776", "0027", "--parent", parent});
    EXPECT_THAT(said.out, HasSubstr(std::string(" = ") + octal + "\n"));
    EXPECT_THAT(said.out, HasSubstr("setgid-parent  2000"));
  }
}

TEST(ExplainCommand, PointsAtBadNotation) {
  const Said mode = say({"explain", "u=rwz", "022"});
  EXPECT_EQ(mode.code, 2);
  EXPECT_EQ(mode.out, "");
  EXPECT_THAT(mode.err, StartsWith("umaskaudit: error: bad mode 'u=rwz' ('z' is no permission"));
  EXPECT_THAT(mode.err, HasSubstr("\n    u=rwz\n        ^\n"));
  EXPECT_THAT(say({"explain", "0666", "028"}).err, HasSubstr("\n    028\n      ^\n"));
  EXPECT_THAT(say({"explain", "0666", "022", "--acl", "u::q"}).err,
              HasSubstr("\n    u::q\n       ^\n"));
  EXPECT_THAT(say({"explain", "\x1b[1mz", "022"}).err, Not(HasSubstr("\x1b")));
  EXPECT_EQ(say({"explain", "0666", "--parent", "/nowhere/at/all"}).code, 2);
  EXPECT_EQ(say({"explain"}).code, 2);
}

TEST(ExplainCommand, ShowsARecordedObject) {
  const testing::RunDirectory run;
  testing::SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.path({100, 1500}, 1, "/srv/app");
  trace::Create create{};
  create.context = 1;
  create.mask_before = create.mask_after = 0077;
  create.kind = static_cast<std::uint8_t>(trace::Kind::file);
  create.created = static_cast<std::uint8_t>(trace::Created::yes);
  create.requested = 0666;
  create.final_mode = 0100600;
  create.base = 1;
  segment.create({100, 2000}, create, "data/x\x1b");
  run.add(segment);
  for (const char* path : {"/srv/app/data/x\x1b", "data/x\x1b", "x\x1b"}) {
    const Said said = say({"explain", run.path(), path});
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_THAT(said.out, StartsWith("/srv/app/data/x\\x1b: file by open\n"
                                     "The umask 0077 was inherited: no call in this run set it.\n"
                                     "0666 & ~0077 = 0600\n"));
  }
  EXPECT_EQ(say({"explain", run.path(), "ata/x\x1b"}).code, 2);
  EXPECT_EQ(say({"explain", run.path()}).code, 2);
}

TEST(UmaskCommand, PrintsAsBashDoes) {
  if (!on_path("bash")) GTEST_SKIP() << "bash is not installed";
  for (const Mode mask : {0022U, 0U, 0777U, 0137U, 0002U}) {
    const mode_t before = real_umask(mask);
    const std::string bash =
        run_program({"bash", "-c", "umask; umask -S; umask -p; umask -p -S"}).output;
    real_umask(before);
    std::string ours;
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{"umask"}, {"umask", "-S"}, {"umask", "-p"}, {"umask", "-pS"}}) {
      const std::string text = said_under(mask, options);
      ours += text.substr(0, text.find("code"));
    }
    EXPECT_EQ(ours, bash);
  }
}

TEST(UmaskCommand, SaysWhatAMaskMeans) {
  const Said said = say({"umask", "u=rwx,g=rx,o="});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, StartsWith("0027  u=rwx,g=rx,o=\n"));
  EXPECT_THAT(said.out, HasSubstr("file       0640  rw-r-----"));
  EXPECT_THAT(said.out, HasSubstr("directory  0750  rwxr-x---"));
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(say({"umask", "-S", "0137"}).out, "u=rw,g=r,o=\n");
  EXPECT_THAT(say({"umask", "0644"}).err, HasSubstr("the mask is 0022"));
  EXPECT_THAT(said_under(0022, {"umask", "-p", "g+w"}), StartsWith("umask 0002\n"));
}

TEST(UmaskCommand, RunsAProgramUnderAMask) {
  EXPECT_EQ(said_under(0022, {"umask", "g-rwx", "--", "sh", "-c", "umask; exit 7"}), "0072\n");
  EXPECT_EQ(said_under(0022, {"umask", "077", "--", "/no/such/program"}), "code 127\n");
  EXPECT_EQ(said_under(0022, {"umask", "077", "--", "/dev/null"}), "code 126\n");
  EXPECT_EQ(said_under(0022, {"umask", "--", "true"}), "code 2\n");
  EXPECT_EQ(said_under(0022, {"umask", "-S", "077", "--", "true"}), "code 2\n");
}

// A child that holds a mask until the test lets it go.
class Sleeper {
 public:
  explicit Sleeper(Mode mask) {
    int ready[2];
    if (::pipe(ready) != 0 || ::pipe(hold_) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      real_umask(mask);
      ::close(hold_[1]);
      char byte = 'r';
      ::_exit(::write(ready[1], &byte, 1) == 1 && ::read(hold_[0], &byte, 1) == 0 ? 0 : 1);
    }
    char byte = 0;
    if (::read(ready[0], &byte, 1) != 1) pid_ = 0;
    for (const int fd : {ready[0], ready[1], hold_[0]}) ::close(fd);
  }
  ~Sleeper() {
    ::close(hold_[1]);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  std::string pid() const { return std::to_string(pid_); }

 private:
  int hold_[2] = {-1, -1};
  pid_t pid_ = 0;
};

TEST(UmaskCommand, ReadsOtherProcesses) {
  if (!std::ifstream("/proc/self/status")) GTEST_SKIP() << "no /proc";
  const Sleeper strict(0077);
  const Sleeper usual(0022);
  EXPECT_EQ(say({"umask", "--pid", strict.pid()}).out, "0077\n");
  EXPECT_EQ(say({"umask", "-S", "--pid", usual.pid()}).out, "u=rwx,g=rx,o=rx\n");
  const Said all = say({"umask", "--all"});
  EXPECT_THAT(all.out, HasSubstr(strict.pid() + "  0077  u=rwx,g=,o="));
  const Said diff = say({"umask", "--diff", strict.pid(), usual.pid()});
  EXPECT_EQ(diff.code, 1);
  EXPECT_THAT(diff.out, HasSubstr("only " + usual.pid() + " allows 0055 ---r-xr-x\n"));
  EXPECT_EQ(say({"umask", "--diff", usual.pid(), usual.pid()}).code, 0);
}

TEST(UmaskCommand, RefusesWhatMakesNoSense) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"umask", "--pid", "abc"},
        {"umask", "--pid", "4294967295"},
        {"umask", "--pid", "1", "022"},
        {"umask", "--pid", "1", "--all"},
        {"umask", "u=q"},
        {"umask", "--diff", "1"},
        {"umask", "0022", "0033"}}) {
    const Said said = say(arguments);
    EXPECT_EQ(said.code, 2) << arguments[1];
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, StartsWith("umaskaudit: error: "));
  }
}

TEST(UmaskCommand, NeverChangesAMaskToReadIt) {
  const int before = umask_calls;
  say({"umask"});
  say({"umask", "-S"});
  say({"umask", "g-w"});
  say({"umask", "--all"});
  say({"umask", "--pid", std::to_string(::getpid())});
  say({"explain", "0666"});
  EXPECT_EQ(umask_calls, before);
}

// Behind an empty /proc only a forked child is left to ask.
TEST(UmaskCommand, ReadsItsOwnMaskWithoutProc) {
  const std::string wrong = in_child([]() -> std::string {
    if (::unshare(CLONE_NEWNS) != 0) return "skip";
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "skip";
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return "skip";
    real_umask(0137);
    const Said said = say({"umask"});
    if (said.out != "0137\n") return said.out + said.err;
    return real_umask(0) == 0137 ? "" : "the mask was changed";
  });
  if (wrong == "skip") GTEST_SKIP() << "needs root for a mount namespace";
  EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace umaskaudit::commands
