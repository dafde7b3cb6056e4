// Stacks of stopped programs against what they know of themselves.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "stopped.h"

namespace umaskaudit::tracer {
namespace {

namespace fs = std::filesystem;
using Addresses = std::vector<std::uint64_t>;

constexpr unsigned kDepth = 64;

std::string program(const std::string& name) { return std::string(PROGRAM_DIR) + "/" + name; }

Addresses from(const Addresses& all, std::size_t first) {
  if (first >= all.size()) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(first), all.end()};
}

// Where `part` begins in `all`, without a gap; -1: nowhere.
std::ptrdiff_t place_in(const Addresses& all, const Addresses& part) {
  const auto at = std::search(all.begin(), all.end(), part.begin(), part.end());
  return at == all.end() ? -1 : at - all.begin();
}

// All of `part`, in this order.
bool has_in_order(const Addresses& all, const Addresses& part) {
  std::size_t found = 0;
  for (const std::uint64_t address : all)
    if (found < part.size() && address == part[found]) ++found;
  return found == part.size();
}

std::string shown(const Addresses& all) {
  std::string text;
  for (const std::uint64_t address : all) {
    char one[24];
    snprintf(one, sizeof one, "%lx ", address);
    text += one;
  }
  return text;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "tracerXXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// umask() of the C library, leaf, and all return addresses that the program noted.
void expect_whole(Stopped& stopped, const RemoteStack& stack) {
  const Addresses& truth = stopped.printed("return");
  ASSERT_GT(truth.size(), 5u);
  ASSERT_EQ(place_in(stack.pcs, truth), 2) << shown(stack.pcs) << "\nnot " << shown(truth);
  EXPECT_EQ(stack.pcs[0], stopped.registers().pc);
  const std::uint64_t leaf = stopped.printed("leaf").at(0);
  EXPECT_GT(stack.pcs[1], leaf);
  EXPECT_LT(stack.pcs[1], leaf + 1024);
  EXPECT_FALSE(stack.truncated);
  // main()'s caller, and what is around it in the C library.
  EXPECT_LE(stack.pcs.size(), 2 + truth.size() + 3);
}

class Built : public testing::TestWithParam<const char*> {};

TEST_P(Built, HasAllFrames) {
  for (const char* how : {"plain", "large"}) {
    SCOPED_TRACE(how);
    Stopped stopped({program(GetParam()), how});
    ASSERT_TRUE(stopped.there());
    AddressSpace space(stopped.pid());
    const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
    expect_whole(stopped, stack);
    // The same again, by what is known now.
    EXPECT_EQ(space.walk(stopped.tid(), stopped.registers(), kDepth).pcs, stack.pcs);
  }
}

TEST_P(Built, GoesThroughFramesOfTheCLibrary) {
  for (const char* how : {"callback", "signal", "fault", "thread"}) {
    SCOPED_TRACE(how);
    Stopped stopped({program(GetParam()), how});
    ASSERT_TRUE(stopped.there());
    AddressSpace space(stopped.pid());
    const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
    EXPECT_TRUE(has_in_order(stack.pcs, stopped.printed("return")))
        << shown(stack.pcs) << "\nnot " << shown(stopped.printed("return"));
    EXPECT_LE(stack.pcs.size(), stopped.printed("return").size() + 10);
  }
}

TEST_P(Built, EndsAtTheDepth) {
  Stopped stopped({program(GetParam())});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const RemoteStack all = space.walk(stopped.tid(), stopped.registers(), kDepth);
  const RemoteStack few = space.walk(stopped.tid(), stopped.registers(), 5);
  EXPECT_TRUE(few.truncated);
  EXPECT_EQ(few.pcs, Addresses(all.pcs.begin(), all.pcs.begin() + 5));
}

TEST_P(Built, NamesTheModuleOfTheProgram) {
  Stopped stopped({program(GetParam())});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const auto index = space.module_of(stopped.printed("leaf").at(0));
  ASSERT_TRUE(index);
  const RemoteModule& module = space.module(*index);
  EXPECT_EQ(module.path, fs::read_symlink("/proc/" + std::to_string(stopped.pid()) + "/exe"));
  EXPECT_EQ(module.base, stopped.printed("bias").at(0));
  const Addresses& id = stopped.printed("id");
  EXPECT_EQ(module.build_id, std::string(id.begin(), id.end()));
  EXPECT_LE(module.start, stopped.printed("leaf").at(0));
  EXPECT_GT(module.end, stopped.printed("leaf").at(0));
  for (const std::uint64_t at : stopped.printed("return")) {
    if (at == stopped.printed("return").back()) break;  // main()'s caller
    EXPECT_EQ(space.module_of(at), index);
  }
  EXPECT_FALSE(space.module_of(stopped.registers().sp));
  EXPECT_FALSE(space.module_of(0));
}

INSTANTIATE_TEST_SUITE_P(Programs, Built, testing::Values(PROGRAMS));

// Its file as it was, another one in its place, a part of it, and none.
class Gone : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = folder_.file("a name\nof two lines");
    fs::copy_file(program(GetParam()), path_);
    ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  }
  TemporaryFolder folder_;
  std::string path_;
};

TEST_P(Gone, DeletedFile) {
  Stopped stopped({path_});
  ASSERT_TRUE(stopped.there());
  fs::remove(path_);
  AddressSpace space(stopped.pid());
  expect_whole(stopped, space.walk(stopped.tid(), stopped.registers(), kDepth));
  const auto index = space.module_of(stopped.printed("leaf").at(0));
  ASSERT_TRUE(index);
  EXPECT_EQ(space.module(*index).path, path_);
}

TEST_P(Gone, ReplacedFile) {
  Stopped stopped({path_});
  ASSERT_TRUE(stopped.there());
  fs::copy_file("/proc/self/exe", folder_.file("other"));
  fs::rename(folder_.file("other"), path_);
  AddressSpace space(stopped.pid());
  expect_whole(stopped, space.walk(stopped.tid(), stopped.registers(), kDepth));
}

// The way by the path, for which no capability is needed.
TEST_P(Gone, AsAnyUser) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0777), 0);
  constexpr int kNotThere = 77;
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (getuid() == 0 &&
        (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)) {
      _exit(3);
    }
    if (access(path_.c_str(), X_OK) != 0) _exit(kNotThere);
    const auto whole = [](Stopped& stopped) {
      AddressSpace space(stopped.pid());
      const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
      return place_in(stack.pcs, stopped.printed("return")) == 2;
    };
    Stopped stopped({path_});
    if (!stopped.there()) _exit(4);
    if (!whole(stopped)) _exit(5);
    fs::rename(path_, path_ + " (deleted)");
    const bool deleted_by_name = whole(stopped);
    // From memory; gcc -static's tables can only be found in the file.
    fs::remove(path_ + " (deleted)");
    fs::copy_file("/proc/self/exe", path_ + " (deleted)");
    const bool from_memory = whole(stopped);
    const bool is_static = std::string(GetParam()).find("static") != std::string::npos;
    _exit(!deleted_by_name ? 6 : from_memory || is_static ? 0 : 7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotThere) GTEST_SKIP() << folder_.path() << " is not for any user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

INSTANTIATE_TEST_SUITE_P(Programs, Gone, testing::Values(PROGRAMS));

// A program's own file cannot be cut while it runs (ETXTBSY), but one that the loader was told of.
TEST(Walk, FileCutShort) {
  constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";
  if (!fs::exists(kLoader)) GTEST_SKIP() << "no " << kLoader;
  const TemporaryFolder folder;
  const std::string path = folder.file("program");
  for (const off_t size : {1 << 20, 14000, 8192, 1000, 0}) {
    fs::copy_file(program("deep_dynamic"), path, fs::copy_options::overwrite_existing);
    Stopped stopped({kLoader, path});
    ASSERT_TRUE(stopped.there());
    AddressSpace before(stopped.pid());
    expect_whole(stopped, before.walk(stopped.tid(), stopped.registers(), kDepth));
    ASSERT_EQ(truncate(path.c_str(), size), 0);
    AddressSpace space(stopped.pid());
    const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
    // umask() and leaf, without a table of the program's own.
    ASSERT_GE(stack.pcs.size(), 2u);
    EXPECT_EQ(stack.pcs[0], stopped.registers().pc);
    fs::remove(path);
  }
}

TEST(Walk, FollowsFramePointersWhereThereAreNoTables) {
  Stopped stopped({program("deep_tableless")});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
  EXPECT_TRUE(has_in_order(stack.pcs, stopped.printed("return")))
      << shown(stack.pcs) << "\nnot " << shown(stopped.printed("return"));
  EXPECT_TRUE(stack.guessed);
}

// Nothing but the instructions tells where a frame ends, as in Debian's busybox.
TEST(Walk, FollowsCallsWhereThereIsNothingElse) {
  for (const char* name : {"deep_bare", "deep_bare_static"}) {
    for (const char* how : {"plain", "signal", "thread"}) {
      SCOPED_TRACE(std::string(name) + " " + how);
      Stopped stopped({program(name), how});
      ASSERT_TRUE(stopped.there());
      AddressSpace space(stopped.pid());
      const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
      const Addresses& truth = stopped.printed("return");
      EXPECT_TRUE(has_in_order(stack.pcs, truth)) << shown(stack.pcs) << "\nnot " << shown(truth);
      EXPECT_LE(stack.pcs.size(), truth.size() + 8);
      EXPECT_TRUE(stack.guessed);
    }
  }
}

TEST(Walk, GuessesNothingWhereThereAreTables) {
  Stopped stopped({program("deep_dynamic")});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  EXPECT_FALSE(space.walk(stopped.tid(), stopped.registers(), kDepth).guessed);
}

TEST(Walk, SurvivesRegistersOfAnyValue) {
  Stopped stopped({program("deep_dynamic")});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const Registers good = stopped.registers();
  for (const std::uint64_t odd :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4095}, good.sp + 1, good.pc, UINT64_MAX,
        UINT64_MAX - 7, std::uint64_t{1} << 63}) {
    for (const Registers& registers :
         {Registers{odd, good.sp, good.fp}, Registers{good.pc, odd, good.fp},
          Registers{good.pc, good.sp, odd}, Registers{odd, odd, odd}}) {
      EXPECT_LE(space.walk(stopped.tid(), registers, kDepth).pcs.size(), kDepth);
    }
  }
}

// The innermost frame is the kernel's code, in no file.
TEST(Walk, BeginsInTheVdso) {
  Stopped stopped({program("deep_dynamic"), "vdso"}, SYS_clock_gettime);
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
  const auto index = space.module_of(stack.pcs.at(0));
  ASSERT_TRUE(index);
  if (space.module(*index).path.find("vdso") == std::string::npos) {
    GTEST_SKIP() << "libc made the call: " << space.module(*index).path;
  }
  // Another process has the same one, at another place.
  const std::uint64_t own = getauxval(AT_SYSINFO_EHDR);
  AddressSpace ours(getpid());
  const auto own_index = ours.module_of(own);
  ASSERT_TRUE(own_index);
  EXPECT_EQ(ours.module(*own_index).base, own);
  EXPECT_EQ(space.module(*index).build_id, ours.module(*own_index).build_id);
  EXPECT_EQ(place_in(stack.pcs, stopped.printed("return")), 3) << shown(stack.pcs);
  EXPECT_FALSE(stack.guessed);
}

// Where the program has tables, and its C library has none.
TEST(Musl, HasAllFrames) {
  const std::vector<std::string> programs{MUSL_PROGRAMS};
  if (programs.empty()) GTEST_SKIP() << "no musl-gcc was found when this was built";
  for (const std::string& name : programs) {
    for (const char* how : {"plain", "large", "signal", "fault", "thread"}) {
      SCOPED_TRACE(name + " " + how);
      Stopped stopped({program(name), how});
      ASSERT_TRUE(stopped.there());
      AddressSpace space(stopped.pid());
      const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
      const Addresses& truth = stopped.printed("return");
      EXPECT_TRUE(has_in_order(stack.pcs, truth)) << shown(stack.pcs) << "\nnot " << shown(truth);
      EXPECT_LE(stack.pcs.size(), truth.size() + 8);
      EXPECT_TRUE(stack.guessed);
    }
  }
}

class Go : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#ifndef GO_FOUND
    GTEST_SKIP() << "no go was found when this was built";
#endif
  }
};

TEST_P(Go, HasAllFramesOfAGoroutine) {
  Stopped stopped({program(GetParam())});
  ASSERT_TRUE(stopped.there());
  AddressSpace space(stopped.pid());
  const RemoteStack stack = space.walk(stopped.tid(), stopped.registers(), kDepth);
  const Addresses& truth = stopped.printed("return");
  ASSERT_GT(truth.size(), 20u);
  const std::ptrdiff_t place = place_in(stack.pcs, truth);
  // Between the system call and leaf's caller: package syscall's functions, or those of C and the
  // way to them; and leaf.
  EXPECT_GE(place, 2) << shown(stack.pcs) << "\nnot " << shown(truth);
  EXPECT_LE(place, 8);
  EXPECT_EQ(from(stack.pcs, static_cast<std::size_t>(place)), truth);
  EXPECT_FALSE(stack.truncated);
}

INSTANTIATE_TEST_SUITE_P(Programs, Go, testing::Values("deep_go", "deep_cgo"));

}  // namespace
}  // namespace umaskaudit::tracer
