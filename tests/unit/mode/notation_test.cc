// Compares symbolic modes with chmod(1) and symbolic masks with bash's umask. The errors have no
// model: they are compared with fixed texts.
#include "reporter/mode/notation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "tests/unit/mode/sandbox.h"

namespace umaskaudit {
namespace {

using namespace testing_support;

Mode mode_of(std::string_view text, Mode base = 0, bool directory = false) {
  const Parsed<Mode> parsed = parse_mode(text, base, directory);
  const Mode* mode = std::get_if<Mode>(&parsed);
  return mode == nullptr ? ~0U : *mode;
}
Mode mask_of(std::string_view text, Mode current = 0022) {
  const Parsed<Mode> parsed = parse_mask(text, current);
  const Mode* mask = std::get_if<Mode>(&parsed);
  return mask == nullptr ? ~0U : *mask;
}
NotationError error_of(std::string_view text) {
  const Parsed<Mode> parsed = parse_mode(text, 0, false);
  const NotationError* error = std::get_if<NotationError>(&parsed);
  return error == nullptr ? NotationError{999, "no error"} : *error;
}

TEST(Notation, ReadsOctal) {
  EXPECT_EQ(mode_of("0"), 0U);
  EXPECT_EQ(mode_of("644"), 0644U);
  EXPECT_EQ(mode_of("0000004755"), 04755U);
  EXPECT_EQ(mask_of("27"), 0027U);
  EXPECT_EQ(mask_of("7022"), 0022U);
}

TEST(Notation, ReadsSymbolic) {
  EXPECT_EQ(mode_of("u=rw,go=r"), 0644U);
  EXPECT_EQ(mode_of("=rwx"), 0777U);
  EXPECT_EQ(mode_of("u=rwx,g=u-w,o="), 0750U);
  EXPECT_EQ(mode_of("u+s,g+s,+t"), 07000U);
  EXPECT_EQ(mode_of("a+X", 0644), 0644U);
  EXPECT_EQ(mode_of("a+X", 0644, true), 0755U);
  EXPECT_EQ(mode_of("a+X", 0744), 0755U);
  EXPECT_EQ(mode_of("g=", 02775), 0705U);
}

TEST(Notation, SymbolicMaskSaysWhatIsAllowed) {
  EXPECT_EQ(mask_of("u=rwx,g=rx,o="), 0027U);
  EXPECT_EQ(mask_of("g+w"), 0002U);
  EXPECT_EQ(mask_of("u=rwx,g-w", 0002), 0022U);
  EXPECT_EQ(mask_of("o-rwx"), 0027U);
  EXPECT_EQ(mask_of("g=u,o=g"), 0000U);
  EXPECT_EQ(mask_of("a="), 0777U);
}

TEST(Notation, ErrorsPointAtTheCharacter) {
  EXPECT_EQ(error_of("").offset, 0U);
  EXPECT_EQ(error_of("u=rwz").offset, 4U);
  EXPECT_EQ(error_of("rwx").offset, 0U);
  EXPECT_EQ(error_of("u").offset, 1U);
  EXPECT_EQ(error_of("u=r,").offset, 4U);
  EXPECT_EQ(error_of("u=r,,g=r").offset, 4U);
  EXPECT_EQ(error_of("g=ux").offset, 3U);
  EXPECT_EQ(error_of("u=r g=r").offset, 3U);
  EXPECT_EQ(error_of("0689").offset, 2U);
  EXPECT_EQ(error_of("10000").offset, 4U);
  EXPECT_EQ(error_of("0644u+x").offset, 4U);
  EXPECT_EQ(error_of(std::string_view("u=r\0", 4)).offset, 3U);
  EXPECT_NE(error_of("u=rwz").message.find("'z'"), std::string::npos);
}

TEST(Notation, WritesWhatItReads) {
  EXPECT_EQ(symbolic(0644), "u=rw,g=r,o=r");
  EXPECT_EQ(symbolic(07751), "u=rwxs,g=rxs,o=xt");
  EXPECT_EQ(symbolic_mask(0022), "u=rwx,g=rx,o=rx");
  for (Mode mode = 0; mode <= 07777; ++mode) ASSERT_EQ(mode_of(symbolic(mode), 05252), mode);
  for (Mode mask = 0; mask <= 0777; ++mask) ASSERT_EQ(mask_of(symbolic_mask(mask)), mask);
}

// Expressions that are mostly right: each letter from `letters` where the grammar has one.
class Expressions {
 public:
  Expressions(unsigned seed, std::string permissions, bool extended)
      : random_(seed), permissions_(std::move(permissions)), extended_(extended) {}

  std::string next() {
    std::string text;
    for (unsigned clauses = pick(3); clauses < 3; ++clauses) {
      if (!text.empty()) text += ',';
      for (unsigned count = pick(3); count > 0; --count) text += "ugoa"[pick(4)];
      unsigned operations = extended_ ? 1 + pick(2) : 1;
      for (; operations > 0; --operations) operation(text);
    }
    if (pick(8) == 0) text[pick(static_cast<unsigned>(text.size()))] = "ugoarwxXst+-=,q"[pick(15)];
    return text;
  }
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  void operation(std::string& text) {
    text += "+-="[pick(3)];
    if (extended_ && pick(4) == 0) {
      text += "ugo"[pick(3)];
      return;
    }
    for (unsigned count = pick(4); count > 0; --count) {
      text += permissions_[pick(static_cast<unsigned>(permissions_.size()))];
    }
  }

  std::mt19937 random_;
  std::string permissions_;
  bool extended_;
};

// GNU chmod also takes an octal number after an operator ("+022"): not made here, not read there.
TEST(NotationOracle, ChmodAgrees) {
  if (!on_path("chmod")) GTEST_SKIP() << "chmod is not installed";
  const ScratchDirectory scratch(temporary_base());
  const std::string file = scratch.path() + "/file";
  std::fclose(std::fopen(file.c_str(), "w"));
  Expressions expressions(11, "rwxXst", true);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    const Mode base = expressions.pick(010000);
    const std::string text = expressions.next();
    ASSERT_EQ(::chmod(file.c_str(), base), 0);
    // Under umask 0 no class means everybody, as it does here.
    const std::string command = "umask 0; exec chmod -- \"$1\" \"$2\"";
    const ProgramResult chmod = run_program({"sh", "-c", command, "sh", text, file});
    struct stat facts {};
    ASSERT_EQ(::stat(file.c_str(), &facts), 0);
    const Mode expected = chmod.exit_code == 0 ? facts.st_mode & 07777 : ~0U;
    if (chmod.exit_code != 0) ++refused;
    EXPECT_EQ(mode_of(text, base), expected) << text << " from " << std::oct << base;
  }
  EXPECT_GT(refused, 5) << "the expressions must have errors among them";
  EXPECT_LT(refused, 100);
}

// bash has the smaller grammar: one operator in a clause, no copies, no X s t.
bool in_bash_grammar(std::string_view text) {
  if (text.find_first_of("Xst") != std::string_view::npos) return false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view clause = text.substr(at, end - at);
    const std::size_t operation = clause.find_first_of("+-=");
    if (operation != std::string_view::npos &&
        clause.find_first_of("+-=ugo", operation + 1) != std::string_view::npos) {
      return false;
    }
    at = end + 1;
  }
  return true;
}

// One bash for all expressions: each line of its answer is a mask in both forms, or "bad".
TEST(NotationOracle, BashAgrees) {
  if (!on_path("bash")) GTEST_SKIP() << "bash is not installed";
  Expressions expressions(13, "rwx", false);
  std::vector<std::string> command{
      "bash", "-c",
      "while [ $# -gt 0 ]; do umask $1; if umask -- \"$2\" 2>/dev/null; then "
      "echo $(umask) $(umask -S); else echo bad; fi; shift 2; done",
      "bash"};
  struct Case {
    Mode current;
    std::string text;
  };
  std::vector<Case> cases;
  while (cases.size() < 1000) {
    Case one{expressions.pick(01000), expressions.next()};
    if (in_bash_grammar(one.text)) cases.push_back(one);
  }
  for (const Case& one : cases) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "%04o", one.current);
    command.insert(command.end(), {octal, one.text});
  }
  const std::string answer = run_program(command).output;
  std::size_t at = 0;
  int accepted = 0;
  for (const Case& one : cases) {
    const std::size_t end = answer.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string line = answer.substr(at, end - at);
    at = end + 1;
    const Mode mask = mask_of(one.text, one.current);
    char ours[64] = "bad";
    if (mask != ~0U) std::snprintf(ours, sizeof ours, "%04o %s", mask, symbolic_mask(mask).c_str());
    if (line != "bad") ++accepted;
    EXPECT_EQ(line, ours) << one.text << " from " << std::oct << one.current;
  }
  EXPECT_GT(accepted, 500);
}

TEST(Notation, SurvivesRandomBytes) {
  std::mt19937 random(17);
  for (int round = 0; round < 300000; ++round) {
    std::string text(random() % 24, '\0');
    const bool near = random() % 2 == 0;
    for (char& letter : text) {
      letter = near ? "ugoarwxXst+-=,01234567"[random() % 22] : static_cast<char>(random());
    }
    text.shrink_to_fit();
    for (const Parsed<Mode>& parsed : {parse_mode(text, random() & 07777, random() % 2 == 0),
                                       parse_mask(text, random() & 0777)}) {
      if (const auto* error = std::get_if<NotationError>(&parsed)) {
        ASSERT_LE(error->offset, text.size());
      } else {
        ASSERT_LE(std::get<Mode>(parsed), 07777U);
      }
    }
  }
}

}  // namespace
}  // namespace umaskaudit
