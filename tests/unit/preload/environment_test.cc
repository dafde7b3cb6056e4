// What is put back into an environment that a program cleaned, and which programs the preload
// cannot get into. Run by meson.

#include "preload/process/exec_environment.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "preload/process/exec_target.h"

namespace umaskaudit::shim {

namespace {

using Strings = std::vector<std::string>;

constexpr char kOurs[] = "/opt/lib/libumaskaudit.so";
constexpr char kStarted[] = "LD_PRELOAD=/opt/other.so:/opt/lib/libumaskaudit.so";
constexpr char kOptions[] = "UMASKAUDIT_OPTIONS=depth=5:trace=/runs/one";

// The image "was started" with these, and has resolved its trace directory.
class Environment : public testing::Test {
 protected:
  void SetUp() override {
    setenv("LD_PRELOAD", strchr(kStarted, '=') + 1, 1);
    setenv("UMASKAUDIT_OPTIONS", "trace=one:depth=5", 1);
    strcpy(process.options.trace.bytes, "/runs/one");
    remember_environment();
  }
  void TearDown() override {
    unsetenv("LD_PRELOAD");
    unsetenv("UMASKAUDIT_OPTIONS");
  }

  // What a child would get instead of `given`. Checks that not a byte too much is written.
  Strings repaired(const Strings& given, bool drop = false) {
    std::vector<char*> environment;
    for (const std::string& entry : given) environment.push_back(const_cast<char*>(entry.c_str()));
    environment.push_back(nullptr);
    const EnvironmentPlan plan = plan_environment(environment.data(), drop);
    EXPECT_EQ(plan.entries, given.size());
    std::vector<char> memory(plan.bytes() + 1, '#');
    char** slots = repair_environment(plan, environment.data(), memory.data());
    EXPECT_EQ(memory.back(), '#');
    Strings result;
    for (char** slot = slots; *slot != nullptr; ++slot) result.emplace_back(*slot);
    EXPECT_EQ(plan.intact(), result == given);
    return result;
  }
};

TEST_F(Environment, LeavesAnIntactOneAlone) {
  const Strings intact = {"A=1", kStarted, kOptions, "B=2"};
  EXPECT_EQ(repaired(intact), intact);
}

TEST_F(Environment, FillsAnEmptyOne) {
  EXPECT_EQ(repaired({}), (Strings{kStarted, kOptions}));
  EXPECT_FALSE(plan_environment(nullptr).intact());
}

TEST_F(Environment, PutsBackWhatWasCleaned) {
  EXPECT_EQ(repaired({"PATH=/bin"}), (Strings{"PATH=/bin", kStarted, kOptions}));
  EXPECT_EQ(repaired({"PATH=/bin", kOptions}), (Strings{"PATH=/bin", kOptions, kStarted}));
  EXPECT_EQ(repaired({"PATH=/bin", kStarted}), (Strings{"PATH=/bin", kStarted, kOptions}));
}

TEST_F(Environment, FillsAnEmptiedPreload) {
  EXPECT_EQ(repaired({"LD_PRELOAD=", "A=1", kOptions}), (Strings{kStarted, "A=1", kOptions}));
}

// A program that sets a preload of its own gets it, in front of ours.
TEST_F(Environment, KeepsThePreloadsOfOthersInFront) {
  EXPECT_EQ(repaired({"LD_PRELOAD=/x.so /y.so", kOptions}),
            (Strings{"LD_PRELOAD=/x.so /y.so:" + std::string(kOurs), kOptions}));
}

TEST_F(Environment, KnowsItselfBetweenColonsAndBlanks) {
  for (const char* separator : {":", " "}) {
    const Strings intact = {std::string("LD_PRELOAD=/x.so") + separator + kOurs, kOptions};
    EXPECT_EQ(repaired(intact), intact);
  }
  // A longer name is another library.
  EXPECT_NE(repaired({std::string("LD_PRELOAD=") + kOurs + ".1", kOptions}),
            (Strings{std::string("LD_PRELOAD=") + kOurs + ".1", kOptions}));
}

// The program's own options are kept: ours are added, and replace none.
TEST_F(Environment, KeepsOptionsThatAProgramSets) {
  const Strings theirs = {kStarted, "UMASKAUDIT_OPTIONS=depth=1"};
  EXPECT_EQ(repaired(theirs), theirs);
}

// For a program that cannot load us: everything but our entry stays, the options too.
TEST_F(Environment, DropsOurEntryAlone) {
  EXPECT_EQ(repaired({"A=1", kStarted, kOptions}, true),
            (Strings{"A=1", "LD_PRELOAD=/opt/other.so", kOptions}));
  const std::string ours(kOurs);
  EXPECT_EQ(repaired({"A=1", "LD_PRELOAD=" + ours, "B=2"}, true), (Strings{"A=1", "B=2"}));
  EXPECT_EQ(repaired({"LD_PRELOAD=" + ours + ":/x.so /y.so"}, true),
            (Strings{"LD_PRELOAD=/x.so:/y.so"}));
  EXPECT_EQ(repaired({"LD_PRELOAD=/x.so " + ours + " /y.so"}, true),
            (Strings{"LD_PRELOAD=/x.so:/y.so"}));
  const Strings without = {"A=1", "LD_PRELOAD=/x.so"};
  EXPECT_EQ(repaired(without, true), without);
  EXPECT_EQ(repaired({}, true), Strings{});
  EXPECT_TRUE(plan_environment(nullptr, true).intact());
}

TEST_F(Environment, IsNotFooledByPrefixes) {
  EXPECT_EQ(
      repaired({"LD_PRELOAD_X=1", "XLD_PRELOAD=2", "UMASKAUDIT_OPTIONS_OLD=3"}),
      (Strings{"LD_PRELOAD_X=1", "XLD_PRELOAD=2", "UMASKAUDIT_OPTIONS_OLD=3", kStarted, kOptions}));
}

class Target : public testing::Test {
 protected:
  void SetUp() override {
    remember_loader();
    ASSERT_NE(mkdtemp(directory_), nullptr);
    path_ = std::string(directory_) + "/program";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(directory_);
  }
  void write(const void* bytes, std::size_t size, mode_t mode = 0755) {
    std::ofstream(path_, std::ios::binary)
        .write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  void write(const std::string& text) { write(text.data(), text.size()); }
  // An ELF file with one program header of this type, and the loader's name behind it.
  void write_elf(ElfW(Word) type, unsigned char bits = ELFCLASS64, mode_t mode = 0755,
                 const std::string& loader = own_loader()) {
    struct {
      ElfW(Ehdr) header;
      ElfW(Phdr) segment;
      char loader[128];
    } file{};
    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = bits;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_machine = own_header().e_machine;
    loader.copy(file.loader, sizeof file.loader - 1);
    file.segment.p_offset = offsetof(decltype(file), loader);
    file.segment.p_filesz = loader.size() + 1;
    file.header.e_phoff = sizeof file.header;
    file.header.e_phnum = 1;
    file.segment.p_type = type;
    write(&file, sizeof file, mode);
  }
  static ElfW(Ehdr) own_header() {
    ElfW(Ehdr) header{};
    std::ifstream("/proc/self/exe", std::ios::binary)
        .read(reinterpret_cast<char*>(&header), sizeof header);
    return header;
  }
  static std::string own_loader() {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const ElfW(Ehdr) header = own_header();
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      ElfW(Phdr) segment{};
      file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof segment));
      file.read(reinterpret_cast<char*>(&segment), sizeof segment);
      if (segment.p_type != PT_INTERP) continue;
      std::string name(segment.p_filesz - 1, '\0');
      file.seekg(static_cast<std::streamoff>(segment.p_offset));
      file.read(name.data(), static_cast<std::streamsize>(name.size()));
      return name;
    }
    return "";
  }
  void expect(bool found, trace::Blind reason = trace::Blind::other) {
    const Obstacle obstacle = find_obstacle({AT_FDCWD, path_.c_str(), false});
    EXPECT_EQ(obstacle.found, found);
    if (found) {
      EXPECT_EQ(obstacle.reason, reason);
    }
    // The same by a descriptor (fexecve(3)), whose offset stays where it is; also by O_PATH.
    for (const int flags : {O_RDONLY, O_PATH}) {
      const int fd = open(path_.c_str(), flags | O_NONBLOCK);
      if (fd < 0) continue;
      const Obstacle again = find_obstacle({fd, "", false});
      EXPECT_EQ(again.found, found);
      EXPECT_EQ(again.reason, obstacle.reason);
      if (flags == O_RDONLY) {
        EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
      }
      close(fd);
    }
    descriptors_are_closed();
  }
  // 3 is the lowest number that is free in a fresh process of the test; others may be taken.
  void descriptors_are_closed() {
    const int lowest = dup(0);
    EXPECT_EQ(lowest, lowest_);
    close(lowest);
  }
  static int lowest_free() {
    const int lowest = dup(0);
    close(lowest);
    return lowest;
  }

  const int lowest_ = lowest_free();
  char directory_[32] = "/tmp/umaskaudit-exec-XXXXXX";
  std::string path_;
};

TEST_F(Target, DynamicProgramsAreFine) {
  EXPECT_FALSE(find_obstacle({AT_FDCWD, "/proc/self/exe", false}).found);
  write_elf(PT_INTERP);
  expect(false);
}

TEST_F(Target, StaticOnesAreNot) {
  write_elf(PT_LOAD);
  expect(true, trace::Blind::exec_static);
}

TEST_F(Target, NorThoseOfAnotherWordSize) {
  write_elf(PT_INTERP, ELFCLASS32);
  expect(true, trace::Blind::exec_abi);
}

// A loader that is not ours must have a C library beside it that is new enough.
TEST_F(Target, OtherLoadersAreJudgedByTheirLibrary) {
  const std::string folder = std::string(directory_) + "/lib";
  ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
  const std::string loader = folder + "/ld-linux.so";
  const std::string libc = folder + "/libc.so.6";
  std::ofstream(loader) << "not ours";
  write_elf(PT_INTERP, ELFCLASS64, 0755, loader);
  expect(true, trace::Blind::exec_libc);  // no library beside it
  Dl_info facts{};
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&getenv), &facts), 0);
  ASSERT_EQ(symlink(facts.dli_fname, libc.c_str()), 0);
  expect(false);
  unlink(libc.c_str());
  std::ofstream(libc) << "neither";
  expect(true, trace::Blind::exec_libc);
  unlink(libc.c_str());
  unlink(loader.c_str());
  rmdir(folder.c_str());
  expect(false);  // such a program cannot be started at all
  write_elf(PT_INTERP, ELFCLASS64, 0755, "/lib/ld-musl-x86_64.so.1");
  expect(false);
}

// The cached facts of a file are dropped when the file changes.
TEST_F(Target, AChangedFileIsLookedAtAgain) {
  for (int i = 0; i < 3; ++i) {
    write_elf(PT_LOAD);
    expect(true, trace::Blind::exec_static);
    write_elf(PT_INTERP);
    expect(false);
  }
}

TEST_F(Target, AScriptIsWhatItsInterpreterIs) {
  write("#! /proc/self/exe -x\n");
  expect(false);
  write_elf(PT_LOAD);
  const std::string interpreter = path_;
  path_ += ".script";
  write("#!" + interpreter + "\n");
  expect(true, trace::Blind::exec_static);
  unlink(path_.c_str());
  path_ = interpreter;
}

TEST_F(Target, PrivilegeIsAnObstacleUnlessOneHasItAlready) {
  write_elf(PT_INTERP, ELFCLASS64, 04755);
  expect(false);  // set-user-ID to who we are
  if (getuid() != 0 || chown(path_.c_str(), 1, 0) != 0) GTEST_SKIP() << "takes root to chown";
  chmod(path_.c_str(), 04755);
  expect(true, trace::Blind::exec_privileged);
  chmod(path_.c_str(), 0755);
  expect(false);
  ASSERT_EQ(chown(path_.c_str(), 0, 1), 0);
  chmod(path_.c_str(), 02755);
  expect(true, trace::Blind::exec_privileged);
  chmod(path_.c_str(), 02745);  // mandatory locking's old mark, not an execution bit
  expect(false);
}

TEST_F(Target, WhatCannotBeReadIsNotJudged) {
  expect(false);  // not there
  write("");
  expect(false);
  write("#!\n");
  expect(false);
  write("#!" + std::string(5000, 'x') + "\n");
  expect(false);
  write(
      "\x7f"
      "ELF");
  expect(false);
  EXPECT_FALSE(find_obstacle({AT_FDCWD, "/", false}).found);
}

// 65,535 program headers, which are not there.
TEST_F(Target, AForgedHeaderIsNotBelieved) {
  ElfW(Ehdr) header{};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_machine = own_header().e_machine;
  header.e_phnum = 65535;
  header.e_phoff = UINT64_MAX - 10;
  write(&header, sizeof header);
  expect(false);
}

TEST_F(Target, IsSearchedForAsExecvpDoes) {
  write_elf(PT_LOAD);
  const std::string before = getenv("PATH");
  setenv("PATH", ("/nowhere:" + std::string(directory_) + ":/usr/bin").c_str(), 1);
  EXPECT_TRUE(find_obstacle({AT_FDCWD, "program", true}).found);
  EXPECT_FALSE(find_obstacle({AT_FDCWD, "program", false}).found);
  EXPECT_FALSE(find_obstacle({AT_FDCWD, "no-such-program", true}).found);
  EXPECT_FALSE(find_obstacle({AT_FDCWD, "", true}).found);
  setenv("PATH", before.c_str(), 1);
}

}  // namespace

}  // namespace umaskaudit::shim
