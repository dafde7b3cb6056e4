// A tiny language for runs: one event a line, and what the rules must say about them.
// Must never accept a line it does not understand, nor a mask that the lines before rule out.
// Used by the tests of the rules; fixtures/README.md describes the language.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/rules/find.h"

namespace umaskaudit::testing {

class Fixture {
 public:
  // On a bad line error() says which and why, and the events before it are there.
  static Fixture parse(const std::string& text);
  static Fixture load(const std::string& file);

  const std::string& error() const { return error_; }
  rules::EventSource source() const;
  // "probe < main": the name that `at` gave the stack.
  std::string stack_name(StackRef ref) const;
  // The `expect` and `hit` lines, without the leading word, in order.
  const std::vector<std::string>& expected_findings() const { return expect_; }
  const std::vector<std::string>& expected_hits() const { return hits_; }
  // The `says` lines: each is part of the message of some finding.
  const std::vector<std::string>& expected_words() const { return says_; }

  // All findings in the words of an `expect` line.
  std::vector<std::string> describe(const std::vector<rules::Finding>& findings) const;
  // Runs the rules with this fixture's stack names. `hits`, when given, gets the words of `hit`.
  rules::FindResult find(rules::FindOptions options = {},
                         std::vector<std::string>* hits = nullptr) const;

 private:
  struct Context {
    Mode mask = 022;
    std::uint64_t change = 0;
    std::optional<std::uint64_t> set_by;
  };
  struct Line;

  void read_line(const std::string& line);
  void read_umask(Line& line);
  void read_create(Line& line);
  void read_chmod(Line& line);
  void read_process(Line& line);
  void read_name(Line& line, const std::string& verb);
  void read_other(Line& line, const std::string& verb);
  template <typename T>
  T base(Line& line);
  void fail(const std::string& why);
  Context& context(std::uint32_t fs);

  std::vector<Event> events_;
  std::deque<std::string> names_;  // what the events' views point to
  std::map<std::string, std::uint32_t> stacks_;
  std::map<std::uint32_t, Context> contexts_;
  std::vector<std::string> expect_, hits_, says_;
  std::uint64_t time_ = 0, seq_ = 0, umask_id_ = 0;
  unsigned line_ = 0;
  std::string error_;
};

}  // namespace umaskaudit::testing
