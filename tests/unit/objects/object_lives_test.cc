// The life of objects: names that move, modes that change, numbers that are used again.
#include "reporter/objects/object_lives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "reporter/objects/refusal.h"

namespace umaskaudit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = RenameEvent::Action;

class ObjectLivesTest : public ::testing::Test {
 protected:
  ObjectLivesTest() {
    options.on_end = [this](const ObjectLife& life) {
      ended.push_back(life.last_path + ' ' + state_name(life.state));
    };
  }

  ObjectLives& lives() {
    if (!lives_) lives_ = std::make_unique<ObjectLives>(options);
    return *lives_;
  }
  std::uint64_t make(const std::string& path, std::uint64_t ino, Mode mode = 0644,
                     trace::Kind kind = trace::Kind::file) {
    CreateEvent event;
    event.seq = ++seq_;
    event.path = path;
    event.dev = 1;
    event.ino = ino;
    event.kind = kind;
    event.created = trace::Created::yes;
    event.final_mode = mode;
    return lives().see(event);
  }
  std::uint64_t make_dir(const std::string& path, std::uint64_t ino) {
    return make(path, ino, 0755, trace::Kind::dir);
  }
  std::uint64_t chmod(std::uint64_t ino, Mode mode) {
    ChmodEvent event;
    event.seq = ++seq_;
    event.call = "chmod";
    event.dev = 1;
    event.ino = ino;
    event.final_mode = mode;
    return lives().see(event);
  }
  std::uint64_t names(Action action, const std::string& from, const std::string& to = "",
                      std::uint64_t ino = 0) {
    RenameEvent event;
    event.seq = ++seq_;
    event.action = action;
    event.from = from;
    event.to = to;
    event.dev = ino == 0 ? 0 : 1;
    event.ino = ino;
    return lives().see(event);
  }
  std::uint64_t exchange(const std::string& from, const std::string& to) {
    RenameEvent event;
    event.seq = ++seq_;
    event.exchange = true;
    event.from = from;
    event.to = to;
    return lives().see(event);
  }
  // "PATH MODE" for each name that is there at the end.
  std::vector<std::string> there() {
    std::vector<std::string> out;
    lives().for_each([&](const ObjectLife& life) {
      if (life.state != ObjectState::there) return;
      for (const std::string& name : lives().names(life)) out.push_back(name);
    });
    return out;
  }

  LifeOptions options;
  std::vector<std::string> ended;

 private:
  std::unique_ptr<ObjectLives> lives_;
  std::uint64_t seq_ = 0;
};

TEST_F(ObjectLivesTest, ExchangedNamesKeepTheirObjects) {
  const std::uint64_t file = make("/v/file", 7);
  const std::uint64_t dir = make_dir("/v/a/dir", 8);
  const std::uint64_t below = make("/v/a/dir/below", 9);
  EXPECT_EQ(exchange("/v/file", "/v/a/dir"), file);
  EXPECT_EQ(lives().at("/v/a/dir"), file);
  EXPECT_EQ(lives().at("/v/file"), dir);
  EXPECT_EQ(lives().at("/v/file/below"), below);
  EXPECT_THAT(ended, IsEmpty());
  EXPECT_THAT(lives().find(file)->earlier, IsEmpty()) << "it was born with that name";
  EXPECT_EQ(names(Action::unlinked, "/v/a/dir"), file);
  EXPECT_THAT(there(), ElementsAre("/v/file", "/v/file/below"));
}

// RENAME_WHITEOUT (renameat2(2)) is a rename: what the kernel leaves at the old name is no object
// of the program.
TEST_F(ObjectLivesTest, AWhiteoutLeavesTheOldNameFree) {
  const std::uint64_t file = make("/v/upper", 7);
  EXPECT_EQ(names(Action::renamed, "/v/upper", "/v/work"), file);
  EXPECT_EQ(lives().at("/v/upper"), 0U);
  const std::uint64_t next = make("/v/upper", 8);
  EXPECT_EQ(names(Action::renamed, "/v/upper", "/v/work"), next);
  EXPECT_THAT(ended, ElementsAre("/v/work replaced"));
  EXPECT_THAT(there(), ElementsAre("/v/work"));
}

TEST_F(ObjectLivesTest, ExchangeWithWhatTheRunDidNotMake) {
  const std::uint64_t below = make("/old/below", 7);
  const std::uint64_t file = make("/v/file", 8);
  EXPECT_EQ(exchange("/old", "/v/file"), 0U) << "a directory from before the run";
  EXPECT_EQ(lives().at("/v/file/below"), below);
  EXPECT_EQ(lives().at("/old"), file);
  EXPECT_EQ(exchange("/v/none", "/old"), 0U);
  EXPECT_EQ(lives().at("/v/none"), file);
  EXPECT_EQ(lives().at("/old"), 0U);
  EXPECT_EQ(exchange("/v", "/v/none"), 0U) << "a damaged trace: one lies below the other";
  EXPECT_EQ(lives().at("/v/none"), file);
}

TEST_F(ObjectLivesTest, RefusalNamesTheDirectoryThatKeepsOut) {
  make("/v/d", 7, 0022, trace::Kind::dir);
  make("/v/d/e", 8, 0755, trace::Kind::dir);
  CreateEvent failed;
  failed.path = "/v/d/e/f";
  failed.error = EACCES;
  std::optional<Refusal> refusal = refusal_of(failed, lives());
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->directory, "/v/d");
  EXPECT_EQ(refusal->mode, 0022U);
  EXPECT_FALSE(refusal->directly_above);
  chmod(7, 0755);
  EXPECT_EQ(refusal_of(failed, lives())->directory, "/v/d/e") << "others may not write into it";
  chmod(8, 0777);
  chmod(7, 0777);
  EXPECT_FALSE(refusal_of(failed, lives()));
  chmod(8, 0700);
  refusal = refusal_of(failed, lives());
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->directly_above);
  EXPECT_EQ(refusal->changed_by, "chmod");
  failed.path = "/v/d/f";
  EXPECT_FALSE(refusal_of(failed, lives())) << "what lies beside it counts for nothing";
  failed.path = "relative";
  EXPECT_FALSE(refusal_of(failed, lives()));
  failed.path = "/v/d/e/f";
  failed.error = EROFS;
  EXPECT_FALSE(refusal_of(failed, lives()));
}

TEST_F(ObjectLivesTest, RenameKeepsTheObject) {
  const std::uint64_t id = make("/v/tmpabc", 7, 0600);
  EXPECT_EQ(names(Action::renamed, "/v/tmpabc", "/v/note.md", 7), id);
  EXPECT_EQ(lives().at("/v/note.md"), id);
  EXPECT_EQ(lives().at("/v/tmpabc"), 0U);
  EXPECT_EQ(lives().find(id)->born_path, "/v/tmpabc");
  EXPECT_THAT(there(), ElementsAre("/v/note.md"));
}

TEST_F(ObjectLivesTest, RenamedDirectoryTakesAlongWhatIsBelow) {
  make_dir("/b", 1);
  make_dir("/b/lib", 2);
  make("/b/lib/x", 3);
  make("/b/top", 4);
  names(Action::renamed, "/b", "/final", 1);
  make_dir("/k", 5);
  names(Action::renamed, "/final/lib", "/k/lib2", 2);
  EXPECT_THAT(there(), ElementsAre("/final", "/k/lib2", "/k/lib2/x", "/final/top", "/k"));
}

TEST_F(ObjectLivesTest, DirectoryThatTheRunDidNotMakeTakesAlongWhatIsBelow) {
  make("/old/sub/x", 3);
  names(Action::renamed, "/old", "/new");
  EXPECT_THAT(there(), ElementsAre("/new/sub/x"));
  EXPECT_EQ(lives().at("/old/sub/x"), 0U);
}

TEST_F(ObjectLivesTest, ReplacedObjectEndsUnderItsName) {
  make("/f", 1);
  const std::uint64_t second = make("/f.new", 2);
  names(Action::renamed, "/f.new", "/f", 2);
  EXPECT_THAT(ended, ElementsAre("/f replaced"));
  EXPECT_EQ(lives().at("/f"), second);
}

TEST_F(ObjectLivesTest, RenameByWhatTheTraceNeverSawReplaces) {
  make("/f", 1);
  EXPECT_EQ(names(Action::renamed, "/unseen", "/f", 99), 0U);
  EXPECT_THAT(ended, ElementsAre("/f replaced"));
  EXPECT_EQ(lives().at("/f"), 0U);
  EXPECT_THAT(there(), IsEmpty());
}

TEST_F(ObjectLivesTest, InodeNumberDecidesWhereARenameWentUnseen) {
  const std::uint64_t id = make("/a", 1);
  // "/a" became "/b" without a record; now "/b" becomes "/c".
  EXPECT_EQ(names(Action::renamed, "/b", "/c", 1), id);
  EXPECT_EQ(lives().at("/c"), id);
  EXPECT_EQ(lives().at("/a"), 0U);
}

TEST_F(ObjectLivesTest, NumberUsedAgainIsAnotherObject) {
  const std::uint64_t first = make("/a", 1);
  const std::uint64_t second = make("/b", 1);
  EXPECT_NE(first, second);
  EXPECT_THAT(ended, ElementsAre("/a unknown"));
  chmod(1, 0666);
  EXPECT_EQ(lives().find(second)->mode, 0666U);
}

TEST_F(ObjectLivesTest, HardLinkIsASecondName) {
  const std::uint64_t id = make("/d/a", 1);
  names(Action::linked, "/d/a", "/e", 1);
  EXPECT_THAT(there(), ElementsAre("/d/a", "/e"));
  EXPECT_EQ(names(Action::unlinked, "/d/a"), id);
  EXPECT_THAT(there(), ElementsAre("/e"));
  EXPECT_THAT(ended, IsEmpty());
  names(Action::unlinked, "/e");
  EXPECT_THAT(ended, ElementsAre("/e gone"));
}

TEST_F(ObjectLivesTest, FileWithoutANameGetsItByALink) {
  const std::uint64_t id = make("/tmp", 1, 0600, trace::Kind::tmpfile);
  EXPECT_EQ(lives().at("/tmp"), 0U);
  EXPECT_EQ(names(Action::linked, "/proc/self/fd/3", "/d/f", 1), id);
  EXPECT_THAT(there(), ElementsAre("/d/f"));
}

TEST_F(ObjectLivesTest, LinksOfTheRunAreFollowedInDirectories) {
  make_dir("/w/real", 1);
  names(Action::symlinked, "real", "/w/link");
  const std::uint64_t id = make("/w/link/a", 2);
  EXPECT_THAT(there(), ElementsAre("/w/real", "/w/real/a"));
  EXPECT_EQ(lives().at("/w/link/a"), id);
  // The link itself is no directory of its own: renaming it moves nothing else.
  names(Action::renamed, "/w/link", "/w/other");
  EXPECT_EQ(lives().at("/w/other/a"), id);
  EXPECT_EQ(lives().at("/w/link/a"), 0U);
  EXPECT_THAT(there(), ElementsAre("/w/real", "/w/real/a"));
}

TEST_F(ObjectLivesTest, LinksFromBeforeTheRunAreAskedForOnce) {
  std::map<std::string, int> asked;
  options.links = [&](const std::string& directory) {
    ++asked[directory];
    return directory == "/var/run" ? std::string("../run") : std::string();
  };
  make("/var/run/x", 1);
  names(Action::unlinked, "/run/x");
  EXPECT_THAT(ended, ElementsAre("/run/x gone"));
  const std::uint64_t id = make("/var/run/x", 1);
  EXPECT_EQ(lives().at("/run/x"), id);
  EXPECT_EQ(asked["/var/run"], 1);
  EXPECT_EQ(asked["/run"], 1);
}

TEST_F(ObjectLivesTest, LinksInACircleNameNothing) {
  names(Action::symlinked, "b", "/a");
  names(Action::symlinked, "a", "/b");
  const std::uint64_t id = make("/a/x", 1);
  EXPECT_EQ(lives().at("/a/x"), 0U);
  EXPECT_EQ(lives().find(id)->born_path, "/a/x");
}

TEST_F(ObjectLivesTest, DotsAndSlashesAreResolved) {
  make_dir("/w/real", 1);
  const std::uint64_t id = make("/w/.//real/./c/", 2, 0755, trace::Kind::dir);
  EXPECT_EQ(lives().at("/w/real/c"), id);
  EXPECT_EQ(lives().at("/w/real/../real//c/"), id);
}

TEST_F(ObjectLivesTest, IpcNamesAreFiles) {
  const std::uint64_t shm = make("/one", 1, 0600, trace::Kind::shm);
  const std::uint64_t sem = make("one", 2, 0600, trace::Kind::sem);
  const std::uint64_t queue = make("/one", 3, 0600, trace::Kind::mqueue);
  EXPECT_EQ(lives().at("/dev/shm/one"), shm);
  EXPECT_EQ(lives().at("/dev/shm/sem.one"), sem);
  EXPECT_EQ(lives().at("/dev/mqueue/one"), queue);
  EXPECT_EQ(lives().at("/one"), 0U);
}

TEST_F(ObjectLivesTest, LastChmodAndLastWideningAreKept) {
  const std::uint64_t id = make("/f", 1, 0600);
  chmod(1, 0666);
  chmod(1, 0644);
  const ObjectLife& life = *lives().find(id);
  EXPECT_EQ(life.born_mode, 0600U);
  EXPECT_EQ(life.mode, 0644U);
  EXPECT_EQ(life.settled_by.before, 0666U);
  EXPECT_EQ(life.widened_by.before, 0600U);
  EXPECT_EQ(life.changes, 2U);
}

TEST_F(ObjectLivesTest, RemovedDirectoryLeavesNothingBelow) {
  make_dir("/d", 1);
  make("/d/unlinked-unseen", 2);
  names(Action::unlinked, "/d");
  EXPECT_THAT(ended, ElementsAre("/d/unlinked-unseen gone", "/d gone"));
}

TEST_F(ObjectLivesTest, DirectoryMovedOntoOneAboveItIsNoCrash) {
  make_dir("/a", 1);
  make_dir("/a/b", 2);
  make("/a/b/c", 3);
  names(Action::renamed, "/a/b", "/a", 2);
  make_dir("/x", 4);
  names(Action::renamed, "/x", "/x/y/z", 4);
  EXPECT_EQ(lives().at("/a/b/c"), 0U);
}

TEST_F(ObjectLivesTest, MemoryIsOfWhatIsThere) {
  for (int i = 0; i < 1000; ++i) {
    make("/lock", 1);
    names(Action::unlinked, "/lock");
  }
  EXPECT_EQ(ended.size(), 1000U);
  EXPECT_THAT(there(), IsEmpty());
}

}  // namespace
}  // namespace umaskaudit::testing
