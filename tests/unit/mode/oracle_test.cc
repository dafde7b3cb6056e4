// The kernel as the judge of predict(): every mask, every kind of object, parents with and without
// S_ISGID and default ACLs, as root and as an ordinary user, on the usual filesystem and on tmpfs.
// One forked child for each combination, because umask and user belong to the process.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <ostream>
#include <tuple>

#include "reporter/mode/calculus.h"
#include "tests/unit/mode/sandbox.h"

namespace umaskaudit {
namespace {

using namespace testing_support;
using trace::Kind;

constexpr Mode kModes[] = {0666, 0777, 07777, 02670, 06654, 01600, 02010, 0};
constexpr uid_t kNobody = 65534;

// Each maker creates "x" in the working directory (or its own name space), reports the st_mode the
// kernel gave it, and removes it again. Returns -1 with errno when the call is refused.
int mode_of_path(const char* path) {
  struct stat facts {};
  if (::lstat(path, &facts) != 0) return -1;
  return static_cast<int>(facts.st_mode & 07777);
}

int mode_of_descriptor(int fd) {
  struct stat facts {};
  const int result = fd >= 0 && ::fstat(fd, &facts) == 0 ? static_cast<int>(facts.st_mode) : -1;
  if (fd >= 0) ::close(fd);
  return result < 0 ? -1 : result & 07777;
}

int unlinked(int result) {
  ::unlink("x");
  return result;
}

int by_open(Mode mode) {
  return unlinked(mode_of_descriptor(::open("x", O_CREAT | O_EXCL | O_WRONLY, mode)));
}
int by_mkdir(Mode mode) {
  const int result = ::mkdir("x", mode) == 0 ? mode_of_path("x") : -1;
  ::rmdir("x");
  return result;
}
int by_mkfifo(Mode mode) { return unlinked(::mkfifo("x", mode) == 0 ? mode_of_path("x") : -1); }
int by_mknod_file(Mode mode) {
  return unlinked(::mknod("x", S_IFREG | mode, 0) == 0 ? mode_of_path("x") : -1);
}
int by_mknod_device(Mode mode) {
  const bool made = ::mknod("x", S_IFCHR | mode, makedev(1, 3)) == 0;
  return unlinked(made ? mode_of_path("x") : -1);
}
int by_bind(Mode) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strcpy(name.sun_path, "x");
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  const int result = bound ? mode_of_path("x") : -1;
  ::close(fd);
  return unlinked(result);
}
int by_tmpfile(Mode mode) { return mode_of_descriptor(::open(".", O_TMPFILE | O_WRONLY, mode)); }
int by_mq_open(Mode mode) {
  const std::string name = "/umaskaudit-test-" + std::to_string(::getpid());
  const mqd_t queue = ::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, mode, nullptr);
  const int result = mode_of_descriptor(queue);  // a descriptor on Linux: mq_overview(7)
  ::mq_unlink(name.c_str());
  return result;
}
int by_shm_open(Mode mode) {
  const std::string name = "/umaskaudit-test-" + std::to_string(::getpid());
  const int result = mode_of_descriptor(::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, mode));
  ::shm_unlink(name.c_str());
  return result;
}
int by_sem_open(Mode mode) {
  const std::string name = "/umaskaudit-test-" + std::to_string(::getpid());
  sem_t* semaphore = ::sem_open(name.c_str(), O_CREAT | O_EXCL, mode, 0U);
  if (semaphore == SEM_FAILED) return -1;
  const int result = mode_of_path(("/dev/shm/sem." + name.substr(1)).c_str());
  ::sem_close(semaphore);
  ::sem_unlink(name.c_str());
  return result;
}
int by_fopen(Mode) {
  std::FILE* file = std::fopen("x", "wx");
  const int result = file == nullptr ? -1 : mode_of_descriptor(::dup(::fileno(file)));
  if (file != nullptr) std::fclose(file);
  return unlinked(result);
}
int by_mkstemp(Mode) {
  char name[] = "XXXXXX";
  const int result = mode_of_descriptor(::mkstemp(name));
  ::unlink(name);
  return result;
}
int by_mkdtemp(Mode) {
  char name[] = "XXXXXX";
  const int result = ::mkdtemp(name) != nullptr ? mode_of_path(name) : -1;
  ::rmdir(name);
  return result;
}

constexpr Mode kAsPassed = 0;  // the caller chooses the mode

struct Maker {
  const char* call;
  Kind kind;
  Mode implied;     // the mode the call itself asks for, or kAsPassed
  bool own_parent;  // below the directory of the test; else its name space has another parent
  Mode judged;      // what predict() can know: not whether a write takes a semaphore's set-IDs
  int (*make)(Mode);
};
constexpr Maker kMakers[] = {
    {"open", Kind::file, kAsPassed, true, 07777, by_open},
    {"mkdir", Kind::dir, kAsPassed, true, 07777, by_mkdir},
    {"mkfifo", Kind::fifo, kAsPassed, true, 07777, by_mkfifo},
    {"mknod", Kind::file, kAsPassed, true, 07777, by_mknod_file},
    {"mknod", Kind::chardev, kAsPassed, true, 07777, by_mknod_device},
    {"bind", Kind::socket, 0777, true, 07777, by_bind},
    {"open", Kind::tmpfile, kAsPassed, true, 07777, by_tmpfile},
    {"fopen", Kind::file, 0666, true, 07777, by_fopen},
    {"mkstemp", Kind::file, 0600, true, 07777, by_mkstemp},
    {"mkdtemp", Kind::dir, 0700, true, 07777, by_mkdtemp},
    {"mq_open", Kind::mqueue, kAsPassed, true, 07777, by_mq_open},
    {"shm_open", Kind::shm, kAsPassed, false, 07777, by_shm_open},
    {"sem_open", Kind::sem, kAsPassed, false, 01777, by_sem_open},
};

enum class User { root, member, stranger };  // member: in the parent's group; stranger: not

const char* user_name(User user) {
  switch (user) {
    case User::root:
      return "root";
    case User::member:
      return "member";
    case User::stranger:
      return "stranger";
  }
  return "";
}
std::ostream& operator<<(std::ostream& out, User user) { return out << user_name(user); }

struct Parent {
  const char* name;
  Mode mode;
  bool acl;
  unsigned user, group, other;
  std::optional<unsigned> mask;
};
std::ostream& operator<<(std::ostream& out, const Parent& parent) { return out << parent.name; }

constexpr Parent kParents[] = {
    {"plain", 0777, false, 0, 0, 0, {}},     {"setgid", 02777, false, 0, 0, 0, {}},
    {"acl", 0777, true, 6, 5, 2, {}},        {"acl_with_mask", 0777, true, 7, 7, 1, 6},
    {"setgid_acl", 02777, true, 7, 1, 5, 3},
};

// True when the process now is `user`; the parent directory belongs to group 0.
bool become(User user) {
  if (user == User::root) return ::geteuid() == 0;
  if (::geteuid() != 0) return user == User::member;  // the user of the test owns the directory
  const gid_t groups[] = {0};
  return ::setgroups(user == User::member ? 1 : 0, groups) == 0 && ::setgid(kNobody) == 0 &&
         ::setuid(kNobody) == 0;
}

ParentFacts facts_of(const std::string& directory) {
  ParentFacts facts;
  struct stat status {};
  struct statfs filesystem {};
  if (::stat(directory.c_str(), &status) == 0) facts.mode = status.st_mode & 07777;
  if (::statfs(directory.c_str(), &filesystem) == 0) {
    facts.fs_type = static_cast<std::uint32_t>(filesystem.f_type);
  }
  facts.gid = status.st_gid;
  const std::vector<std::uint8_t> acl = get_default_acl(directory);
  facts.acl = parse_acl_xattr(acl.data(), acl.size());
  return facts;
}

// Empty when the kernel did what predict() says and derive() explains it without a remainder.
std::string compare(const Maker& maker, Mode requested, Mode mask, const ParentFacts* parent,
                    User user) {
  CreationFacts facts;
  facts.kind = maker.kind;
  facts.call = maker.call;
  facts.requested = requested;
  facts.foreign_group = user == User::stranger;
  if (parent != nullptr) facts.parent = *parent;
  ::umask(mask);
  const int found = maker.make(requested);
  char text[256] = "";
  if (found < 0) {
    std::snprintf(text, sizeof text, "%s failed: %s", maker.call, std::strerror(errno));
    return text;
  }
  const auto final_mode = static_cast<Mode>(found);
  const Mode predicted = predict(facts, mask).steps.back().mode;
  facts.final_mode = final_mode;
  facts.masks = {mask ^ 0777, mask};  // the wrong one first: derive() has to choose
  const Derivation derived = derive(facts);
  const Rule last = derived.steps.back().rule;
  const bool explained = last != Rule::unexplained && last != Rule::filesystem;
  if (predicted == final_mode && explained && derived.steps.back().mode == final_mode) return "";
  std::snprintf(text, sizeof text, "%s kind %d: %04o under %04o: predicted %04o, got %04o, last %s",
                maker.call, static_cast<int>(maker.kind), requested, mask, predicted, final_mode,
                rule_name(last));
  return text;
}

// Every mode under every mask where that costs nothing; on a disk all of them for files and
// directories, and one mode for each mask, in turn, for the makers that go the same ways.
std::string compare_all(const Maker& maker, const ParentFacts& parent, User user) {
  if (maker.kind == Kind::chardev && ::geteuid() != 0) return "";  // CAP_MKNOD
  const bool memory = filesystem_name(parent.fs_type) == "tmpfs";
  const bool first_of_its_way = maker.make == by_open || maker.make == by_mkdir;
  for (Mode mask = 0; mask <= 0777; ++mask) {
    for (std::size_t i = 0; i < std::size(kModes); ++i) {
      if (!memory && !first_of_its_way && i != (mask + mask / 64) % std::size(kModes)) continue;
      const bool implied = maker.implied != kAsPassed;
      const Mode requested = implied ? maker.implied : kModes[i] & maker.judged;
      std::string wrong =
          compare(maker, requested, mask, maker.own_parent ? &parent : nullptr, user);
      if (!wrong.empty()) return wrong;
      if (implied) break;
    }
  }
  return "";
}

using Combination = std::tuple<std::string, User, Parent>;

class Oracle : public ::testing::TestWithParam<Combination> {};

TEST_P(Oracle, KernelAgrees) {
  const auto& [base, user, parent] = GetParam();
  if (user != User::member && ::geteuid() != 0) GTEST_SKIP() << "needs root to change the user";
  const bool privileged = user == User::root && ::geteuid() == 0;
  const std::string refusal = privileged ? "" : no_shared_memory_for_all();
  if (!refusal.empty()) GTEST_SKIP() << refusal;
  const ScratchDirectory scratch(base);
  if (scratch.path().empty()) GTEST_SKIP() << "cannot make a directory in " << base;
  const std::string directory = scratch.path() + "/parent";
  ASSERT_EQ(::mkdir(directory.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(directory.c_str(), parent.mode), 0);
  const bool wants_acl = parent.acl;
  if (wants_acl && !set_default_acl(directory, encode_acl(parent.user, parent.group, parent.other,
                                                          parent.mask))) {
    GTEST_SKIP() << base << " takes no default ACL: " << std::strerror(errno);
  }
  const ParentFacts facts = facts_of(directory);
  ASSERT_EQ(facts.acl.has_value(), wants_acl);
  const std::string wrong = in_child([&, who = user]() -> std::string {
    // The way to the directory may be closed for others: enter first, change the user then.
    if (::chdir(directory.c_str()) != 0) return "cannot enter the directory";
    if (!become(who)) return "cannot change the user";
    for (const Maker& maker : kMakers) {
      std::string text = compare_all(maker, facts, who);
      if (!text.empty()) return text;
    }
    return "";
  });
  EXPECT_EQ(wrong, "");
}

INSTANTIATE_TEST_SUITE_P(
    All, Oracle,
    ::testing::Combine(::testing::Values(temporary_base(), std::string("/dev/shm")),
                       ::testing::Values(User::root, User::member, User::stranger),
                       ::testing::ValuesIn(kParents)),
    [](const ::testing::TestParamInfo<Combination>& test) {
      const bool memory = std::get<0>(test.param) == "/dev/shm";
      return std::string(memory ? "shm_" : "tmp_") + user_name(std::get<1>(test.param)) + "_" +
             std::get<2>(test.param).name;
    });

// Every default ACL there is, reduced to what counts for modes: 8^3 without a mask, 8^4 with one.
TEST(OracleAcl, EveryDefaultAclOnOneDirectory) {
  const ScratchDirectory scratch("/dev/shm");
  if (scratch.path().empty()) GTEST_SKIP() << "no /dev/shm";
  if (!set_default_acl(scratch.path(), encode_acl(7, 7, 7, {}))) {
    GTEST_SKIP() << "/dev/shm takes no default ACL";
  }
  const std::string wrong = in_child([&]() -> std::string {
    if (::chdir(scratch.path().c_str()) != 0) return "cannot enter the directory";
    for (unsigned bits = 0; bits < 8 * 8 * 8 * 9; ++bits) {
      const unsigned other = bits & 7;
      const unsigned group = bits >> 3 & 7;
      const unsigned user = bits >> 6 & 7;
      const unsigned mask = bits >> 9;
      const auto optional_mask = mask == 8 ? std::nullopt : std::optional<unsigned>(mask);
      set_default_acl(".", encode_acl(user, group, other, optional_mask));
      const ParentFacts facts = facts_of(".");
      if (!facts.acl) return "the kernel's bytes were not understood";
      for (const Maker& maker : {kMakers[0], kMakers[1], kMakers[5]}) {
        const Mode requested = maker.implied != kAsPassed ? maker.implied : 0775;
        std::string text = compare(maker, requested, 0137, &facts, User::member);
        if (!text.empty()) return text;
      }
    }
    return "";
  });
  EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace umaskaudit
