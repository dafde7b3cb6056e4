// setfacl(1) as the judge of parse_acl_text(): the same text, the same default ACL on a directory.
#include "reporter/mode/acl_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "tests/unit/mode/sandbox.h"

namespace umaskaudit {
namespace {

using namespace testing_support;

std::string describe(const std::optional<DefaultAcl>& acl) {
  if (!acl) return "none";
  const auto digit = [](unsigned bits) { return static_cast<char>('0' + bits); };
  std::string text{digit(acl->user_obj), digit(acl->group_obj), digit(acl->other)};
  if (acl->mask) text += std::string("m") + digit(*acl->mask);
  return text;
}
std::string ours(std::string_view text, std::optional<Mode> directory) {
  const Parsed<DefaultAcl> parsed = parse_acl_text(text, directory);
  const DefaultAcl* acl = std::get_if<DefaultAcl>(&parsed);
  return acl == nullptr ? "refused" : describe(*acl);
}
std::size_t offset_of(std::string_view text) {
  const Parsed<DefaultAcl> parsed = parse_acl_text(text, std::nullopt);
  const NotationError* error = std::get_if<NotationError>(&parsed);
  return error == nullptr ? 999 : error->offset;
}

TEST(AclText, ReadsEntries) {
  EXPECT_EQ(ours("u::rwx,g::r-x,o::---", {}), "750");
  EXPECT_EQ(ours("u::rwx,g::r-x,m::rwx,o::---", {}), "750m7");
  EXPECT_EQ(ours("default:user::7,default:group::5,d:other:1", {}), "751");
  EXPECT_EQ(ours("u::rwx,g::r,o::,", {}), "refused");
  EXPECT_EQ(ours("u::rwx,g::r,o::-,", {}), "740");
}

TEST(AclText, NamedEntriesMakeAMask) {
  EXPECT_EQ(ours("u::rwx,u:alice:rw,g::x,g:staff:r,o::-", {}), "710m7");
  EXPECT_EQ(ours("u::rwx,u:alice:rw,g::r,u:alice:r,o::-", {}), "740m4");
  EXPECT_EQ(ours("u::rwx,u:alice:rw,g::r,m::x,o::-", {}), "740m1");
}

TEST(AclText, CopiesWhatIsMissingFromTheDirectory) {
  EXPECT_EQ(ours("u:alice:rwx", 0754), "754m7");
  EXPECT_EQ(ours("o::-", 02755), "750");
  EXPECT_EQ(ours("u:alice:rwx", {}), "refused");
}

TEST(AclText, ErrorsPointAtTheCharacter) {
  EXPECT_EQ(offset_of(""), 0U);
  EXPECT_EQ(offset_of("u::rwx,q::r"), 7U);
  EXPECT_EQ(offset_of("u::rwx,g::rz"), 11U);
  EXPECT_EQ(offset_of("u::rwx,g::rr"), 11U);
  EXPECT_EQ(offset_of("u::8"), 3U);
  EXPECT_EQ(offset_of("u"), 1U);
  EXPECT_EQ(offset_of("u:joe"), 5U);
  EXPECT_EQ(offset_of("d:u::"), 5U);
  EXPECT_EQ(offset_of("o:joe:r"), 2U);
  EXPECT_EQ(offset_of("u::r:x"), 4U);
  EXPECT_EQ(offset_of("u::r,g::r"), 9U);
}

std::string random_text(std::mt19937& random) {
  const auto pick = [&](std::size_t below) { return random() % below; };
  static constexpr const char* kHeads[] = {"u:",  "user:", "g:",     "group:", "m:",
                                           "o:",  "mask:", "other:", "u:1",    "u:2",
                                           "g:1", "g:2",   "u:root", "x:",     "u"};
  std::string text;
  for (std::size_t entries = 1 + pick(5); entries > 0; --entries) {
    text += kHeads[pick(pick(4) == 0 ? std::size(kHeads) : 11)];
    text += pick(12) == 0 ? "" : ":";
    if (pick(4) == 0) {
      text += static_cast<char>('0' + pick(9));
    } else {
      for (std::size_t letters = pick(4); letters > 0; --letters) text += "rwxX--"[pick(6)];
    }
    if (entries > 1 || pick(6) == 0) text += ',';
  }
  return text;
}

TEST(AclTextOracle, SetfaclAgrees) {
  if (!on_path("setfacl")) GTEST_SKIP() << "setfacl is not installed (package acl)";
  const ScratchDirectory scratch(temporary_base());
  if (!set_default_acl(scratch.path(), encode_acl(7, 7, 7, {}))) {
    GTEST_SKIP() << temporary_base() << " takes no default ACL";
  }
  std::mt19937 random(23);
  int accepted = 0;
  for (int round = 0; round < 600; ++round) {
    const Mode mode = random() & 0777;
    const std::string text = random_text(random);
    const std::string directory = scratch.path() + "/d" + std::to_string(round);
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(directory.c_str(), mode), 0);
    set_default_acl(directory, {2, 0, 0, 0});  // inherited from the scratch directory: away
    const ProgramResult setfacl = run_program({"setfacl", "-d", "-m", text, directory});
    const std::vector<std::uint8_t> bytes = get_default_acl(directory);
    ::rmdir(directory.c_str());  // at once: its mode may keep everybody else's cleaning out
    const bool refused = setfacl.exit_code != 0;
    const std::string theirs =
        refused ? "refused" : describe(parse_acl_xattr(bytes.data(), bytes.size()));
    if (!refused) ++accepted;
    EXPECT_EQ(ours(text, mode), theirs) << "'" << text << "' " << setfacl.output;
  }
  EXPECT_GT(accepted, 60);
}

TEST(AclText, SurvivesRandomBytes) {
  std::mt19937 random(29);
  for (int round = 0; round < 300000; ++round) {
    std::string text(random() % 24, '\0');
    const bool near = random() % 2 == 0;
    for (char& letter : text) {
      letter = near ? "ugmod::,rwxX-07"[random() % 15] : static_cast<char>(random());
    }
    text.shrink_to_fit();
    const Parsed<DefaultAcl> parsed =
        parse_acl_text(text, random() % 2 == 0 ? std::nullopt : std::optional<Mode>(0755));
    if (const auto* error = std::get_if<NotationError>(&parsed)) {
      ASSERT_LE(error->offset, text.size());
    }
  }
}

}  // namespace
}  // namespace umaskaudit
