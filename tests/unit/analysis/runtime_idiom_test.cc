// A runtime that reads the mask by setting it, told from a program that does so through a runtime.
#include <gtest/gtest.h>

#include <map>

#include "reporter/analysis/runtime_idiom.h"

namespace umaskaudit::analysis {
namespace {

constexpr std::uint32_t kRuntime = 1, kProgram = 2;

// Stacks by id: native frames, and the line of the script; 0: there is no script.
class Stacks : public StackSource {
 public:
  std::map<std::uint32_t, std::pair<std::vector<RawFrame>, std::uint32_t>> known;
  std::string text = "Node.js 18";

  std::vector<RawFrame> stack(StackRef ref) const override { return known.at(ref.id).first; }
  std::optional<ScriptStack> script(StackRef ref) const override {
    const std::uint32_t line = known.at(ref.id).second;
    if (line == 0) return std::nullopt;
    ScriptStack script;
    script.frames.push_back({"f", "app.js", line, trace::Language::javascript, false, true});
    return script;
  }
  bool stack_truncated(StackRef) const override { return false; }
  StackRef started(std::uint32_t) const override { return {}; }
  std::uint32_t pid(std::uint32_t) const override { return 1; }
  std::vector<ScriptRuntime> runtimes() const override {
    return {{trace::Language::javascript, trace::RuntimeState::read, text, "/usr/bin/node"}};
  }
  const ModuleInfo* module(std::uint32_t, std::uint32_t id) const override {
    return id == kRuntime ? &runtime_ : id == kProgram ? &program_ : nullptr;
  }

 private:
  ModuleInfo runtime_{"/usr/bin/node", "", 0, 0, 0}, program_{"/srv/app", "", 0, 0, 0};
};

class RuntimeIdiom : public ::testing::Test {
 protected:
  std::string idiom() const { return runtime_idiom(stacks_, {0, 1}, {0, 2}); }

  Stacks stacks_;
};

TEST_F(RuntimeIdiom, TwoCallsOfOneFunctionOfItsOwn) {
  const std::vector<RawFrame> outer = {{kRuntime, 0x900}, {0, 0x77}, {kRuntime, 0x10}};
  const auto called_at = [&](std::uint64_t offset) {
    std::vector<RawFrame> frames = outer;
    frames.insert(frames.begin(), {kRuntime, offset});
    return frames;
  };
  stacks_.known = {{1, {called_at(0x100), 3}}, {2, {called_at(0x120), 3}}};
  EXPECT_EQ(idiom(), "Node.js 18");
  stacks_.text.clear();
  EXPECT_EQ(idiom(), "node");
  stacks_.known = {{1, {called_at(0x100), 0}}, {2, {called_at(0x120), 0}}};
  EXPECT_EQ(idiom(), "node");
  // One instruction, called twice by the script, be it from one line.
  stacks_.known = {{1, {called_at(0x100), 3}}, {2, {called_at(0x100), 3}}};
  EXPECT_EQ(idiom(), "");
  // From two lines.
  stacks_.known = {{1, {called_at(0x100), 3}}, {2, {called_at(0x120), 4}}};
  EXPECT_EQ(idiom(), "");
  stacks_.known = {{1, {called_at(0x100), 3}}, {2, {called_at(0x120), 0}}};
  EXPECT_EQ(idiom(), "");
}

TEST_F(RuntimeIdiom, NotThoseOfAProgramOrOfTwoFunctions) {
  stacks_.known = {{1, {{{kProgram, 0x100}, {kProgram, 0x10}}, 0}},
                   {2, {{{kProgram, 0x120}, {kProgram, 0x10}}, 0}}};
  EXPECT_EQ(idiom(), "");
  stacks_.known = {{1, {{{kRuntime, 0x100}, {kRuntime, 0x10}}, 0}},
                   {2, {{{kRuntime, 0x120}, {kRuntime, 0x20}}, 0}}};
  EXPECT_EQ(idiom(), "");
  stacks_.known = {{1, {{{kRuntime, 0x100}}, 0}}, {2, {{{kRuntime, 0x120}}, 0}}};
  EXPECT_EQ(idiom(), "");
  stacks_.known = {{1, {{}, 0}}, {2, {{}, 0}}};
  EXPECT_EQ(idiom(), "");
}

}  // namespace
}  // namespace umaskaudit::analysis
