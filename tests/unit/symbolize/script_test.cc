// Frames of scripts among native ones: where they stand, which frames are folded, and whose line is
// shown.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "reporter/symbolize/culprit.h"
#include "reporter/symbolize/script_merge.h"
#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::symbolize {
namespace {

using ::testing::ElementsAre;
using testing::open_or_die;
using testing::RunDirectory;
using testing::SegmentBuilder;

constexpr std::uint32_t kRuntime = 1;  // module
constexpr std::uint32_t kOther = 2;
constexpr std::uint32_t kGenerated = 0;

ScriptStack script_of(trace::Language language, const std::vector<bool>& entries) {
  ScriptStack script;
  script.language = language;
  script.runtime = kRuntime;
  script.evaluator = 0x100;
  script.evaluator_size = 0x10;
  for (const bool entry : entries) {
    ScriptFrame frame;
    frame.language = language;
    frame.entry = entry;
    script.frames.push_back(frame);
  }
  return script;
}

// "n0 s0 s1 n2": native and script frames by their index.
std::string merged(const std::vector<RawFrame>& native, const ScriptStack& script,
                   bool truncated = false) {
  std::string out;
  for (const MergedFrame& frame : merge_script(native, script, truncated))
    out += (out.empty() ? "" : " ") + std::string(frame.script ? "s" : "n") +
           std::to_string(frame.index);
  return out;
}

const RawFrame kEvaluator{kRuntime, 0x108};
const RawFrame kHelper{kRuntime, 0x90};
const RawFrame kExtension{kOther, 0x108};
const RawFrame kCode{kGenerated, 0x108};

TEST(Script, FramesUpToAnEntryStandForTheEvaluatorThatRanThem) {
  const ScriptStack script = script_of(trace::Language::python, {false, true, false, true});
  EXPECT_EQ(merged({kHelper, kEvaluator, kExtension, kEvaluator, kHelper}, script),
            "n0 s0 s1 n2 s2 s3 n4");
}

TEST(Script, TheEvaluatorIsWhereItsRecordSays) {
  ScriptStack script = script_of(trace::Language::python, {true, true});
  const RawFrame first{kRuntime, 0x100}, last{kRuntime, 0x10f}, behind{kRuntime, 0x110};
  EXPECT_EQ(merged({behind, first, last}, script), "n0 s0 s1");
  // One that says nothing has no native frame stand for it.
  script.evaluator_size = 0;
  EXPECT_EQ(merged({kHelper, kEvaluator}, script), "s0 s1 n0 n1");
  script.evaluator = 0;
  script.runtime = 0;
  EXPECT_EQ(merged({kCode}, script), "s0 s1 n0");
}

TEST(Script, EvaluatorsWithoutFramesStayNative) {
  const ScriptStack script = script_of(trace::Language::python, {false, true});
  EXPECT_EQ(merged({kEvaluator, kHelper, kEvaluator}, script), "s0 s1 n1 n2");
}

TEST(Script, FramesWithoutAnEvaluatorFollowTheLastOneThatHadSome) {
  const ScriptStack script = script_of(trace::Language::python, {true, true, false});
  EXPECT_EQ(merged({kHelper, kEvaluator, kHelper, kExtension}, script), "n0 s0 s1 s2 n2 n3");
  // Those that ran them are among what is missing.
  EXPECT_EQ(merged({kHelper, kEvaluator, kHelper, kExtension}, script, true), "n0 s0 n2 n3 s1 s2");
  EXPECT_EQ(merged({kHelper}, script, true), "n0 s0 s1 s2");
  EXPECT_EQ(merged({}, script), "s0 s1 s2");
}

TEST(Script, ARunOfGeneratedCodeStandsForOneEntry) {
  const ScriptStack script = script_of(trace::Language::javascript, {false, true, true});
  EXPECT_EQ(merged({kHelper, kCode, kEvaluator, kCode, kHelper, kCode, kHelper}, script),
            "n0 s0 s1 n4 s2 n6");
  EXPECT_EQ(merged({kCode, kHelper, kCode, kHelper, kCode}, script), "s0 s1 n1 s2 n3 n4");
}

TEST(Script, FramesOfAShellComeFirst) {
  const ScriptStack script = script_of(trace::Language::shell, {false, true});
  EXPECT_EQ(merged({kHelper, kEvaluator}, script), "s0 s1 n0 n1");
  EXPECT_EQ(merged({kHelper, kEvaluator}, script, true), "s0 s1 n0 n1");
}

Frame native(const std::string& module, const std::string& symbol = "f") {
  Frame frame;
  frame.module = module;
  frame.symbol = symbol;
  return frame;
}

Frame place(trace::Language language, const std::string& file, const std::string& function) {
  Frame frame = native("/usr/bin/runtime", function);
  frame.file = file;
  frame.language = language_name(language);
  frame.script = true;
  return frame;
}

TEST(Script, TheCulpritIsTheUsersOwnLine) {
  const auto python = [](const std::string& file, const std::string& function) {
    return place(trace::Language::python, file, function);
  };
  const auto named = [](const std::vector<Frame>& stack) { return culprit(stack)->symbol; };
  EXPECT_EQ(named({native("/usr/bin/python3.11"), native("/x/_ext.so"),
                   python("/usr/lib/python3.11/tempfile.py", "mkstemp"),
                   python("<frozen importlib._bootstrap>", "_load"), python("app.py", "save")}),
            "save");
  // All of the library: the innermost.
  EXPECT_EQ(named({native("/x/_ext.so"), python("/usr/lib/python3.11/tempfile.py", "mkstemp"),
                   python("/usr/lib/python3.11/runpy.py", "run")}),
            "mkstemp");
  EXPECT_EQ(named({native("/lib/libc.so.6"), native("/x/_ext.so", "mine")}), "mine");
}

TEST(Culprit, IsNoFunctionThatWasLinkedIn) {
  const auto at = [](const std::string& symbol, const std::string& file) {
    Frame frame = native("/srv/program", symbol);
    frame.file = file;
    return frame;
  };
  const auto named = [](const std::vector<Frame>& stack) { return culprit(stack)->symbol; };
  EXPECT_EQ(named({at("__umask", ""), at("peek", "race.c")}), "peek");
  EXPECT_EQ(named({at("_IO_file_open", ""), at("fopen", ""), at("save", "")}), "save");
  EXPECT_EQ(named({at("umask", "mine.c"), at("main", "mine.c")}), "umask");
  EXPECT_EQ(named({at("__umask", ""), at("__libc_start_main", "")}), "__umask");
  const std::string go = "/usr/lib/go-1.19/src/";
  EXPECT_EQ(
      named({at("runtime/internal/syscall.Syscall6", go + "runtime/internal/syscall/a.s"),
             at("net.(*netFD).listenStream", go + "net/sock_posix.go"),
             at("main.main", "/home/me/main.go"), at("runtime.main", go + "runtime/proc.go")}),
      "main.main");
  EXPECT_EQ(named({at("os.OpenFile", "os/file.go"), at("example.com/x.Save", "x/save.go")}),
            "example.com/x.Save");
  // A package of the user's own that has the name of one of Go's.
  EXPECT_EQ(named({at("os.Touch", "/home/me/own/os/touch.go"), at("main.main", "main.go")}),
            "os.Touch");
}

TEST(Script, LibrariesOfLanguages) {
  using trace::Language;
  const auto in_library = [](Language language, const std::string& file,
                             const std::string& function = "f") {
    return is_library(place(language, file, function));
  };
  EXPECT_TRUE(in_library(Language::python, "/usr/lib/python3.11/os.py"));
  EXPECT_TRUE(
      in_library(Language::python, "/home/u/.pyenv/versions/3.9.1/lib/python3.9/json/x.py"));
  EXPECT_FALSE(in_library(Language::python, "/v/lib/python3.9/site-packages/django/x.py"));
  EXPECT_FALSE(in_library(Language::python, "/usr/lib/python3/dist-packages/apt/x.py"));
  EXPECT_FALSE(in_library(Language::python, "/home/u/lib/pythonic/app.py"));
  EXPECT_FALSE(in_library(Language::python, "<string>"));
  EXPECT_TRUE(in_library(Language::javascript, "node:fs"));
  EXPECT_FALSE(in_library(Language::javascript, "/srv/node_modules/x/index.js"));
  EXPECT_TRUE(in_library(Language::ruby, "/usr/lib/ruby/3.1.0/fileutils.rb"));
  EXPECT_TRUE(in_library(Language::ruby, "<internal:kernel>"));
  EXPECT_FALSE(in_library(Language::ruby, "/var/lib/gems/3.1.0/gems/x/x.rb"));
  EXPECT_TRUE(in_library(Language::perl, "/usr/share/perl/5.36/File/Temp.pm"));
  EXPECT_TRUE(in_library(Language::perl, "/usr/lib/x86_64-linux-gnu/perl-base/IO/File.pm"));
  EXPECT_FALSE(in_library(Language::perl, "/home/u/lib/perl5/X.pm"));
  EXPECT_TRUE(in_library(Language::java, "Files.java", "java.nio.file.Files.createFile"));
  EXPECT_FALSE(in_library(Language::java, "App.java", "javaapp.App.main"));
  EXPECT_FALSE(in_library(Language::shell, "/usr/lib/python3.11/x.sh"));
}

TEST(Script, TextThatIsNoFile) {
  const auto given = [](const std::string& file) {
    return is_given_text(place(trace::Language::shell, file, ""));
  };
  for (const char* file : {"", "sh -c", "/bin/sh -c", "bash <stdin>", "<string>", "-e", "[eval]"})
    EXPECT_TRUE(given(file)) << file;
  for (const char* file : {"a.sh", "./x -c.sh", "/srv/<x>"}) EXPECT_FALSE(given(file)) << file;
}

class ScriptRun : public ::testing::Test {
 protected:
  ScriptRun() {
    begin_image(&segment_, "python3");
    module(1, "/usr/bin/python3.11");
    module(2, "/srv/_ext.so");
    module(3, "/lib/x86_64-linux-gnu/libc.so.6");
    trace::Runtime runtime{};
    runtime.module = 1;
    runtime.language = static_cast<std::uint8_t>(trace::Language::python);
    runtime.evaluator = 0x100;
    runtime.evaluator_size = 0x10;
    segment_.runtime({}, runtime, "CPython 3.11.2");
    segment_.path({}, 1, "/srv/app.py");
    frame(1, 12, "set_mask");
    frame(2, 20, "<module>");
    const auto at = [](std::uint64_t module, std::uint64_t offset) {
      return module << trace::kFrameModuleShift | offset;
    };
    segment_.stack(
        {}, {1, 0, 0},
        {at(1, 0x90), at(1, 0x108), at(2, 0x30), at(1, 0x108), at(1, 0x20), at(3, 0x50)});
    trace::ScriptStack stack{};
    stack.id = 2;
    stack.native = 1;
    stack.runtime = 1;
    segment_.script_stack({}, stack, {1 | trace::kScriptEntry, 2 | trace::kScriptEntry});
    directory_.add(segment_);
  }

  void module(std::uint32_t id, const std::string& path) {
    trace::Module fixed{};
    fixed.id = id;
    segment_.module({}, fixed, "", path);
  }
  void frame(std::uint32_t id, std::uint32_t line, const std::string& function) {
    trace::ScriptFrame fixed{};
    fixed.id = id;
    fixed.line = line;
    fixed.file = 1;
    fixed.language = static_cast<std::uint8_t>(trace::Language::python);
    segment_.script_frame({}, fixed, function);
  }

  // Modules and places, those that are folded in brackets.
  static std::vector<std::string> shown(const std::vector<Frame>& frames) {
    std::vector<std::string> out;
    for (const Frame& frame : frames) {
      std::string text = frame.script ? base_name(frame.file) + ':' + std::to_string(frame.line) +
                                            ' ' + frame.symbol
                                      : base_name(frame.module);
      out.push_back(frame.folded ? '[' + text + ']' : text);
    }
    return out;
  }

  RunDirectory directory_;
  SegmentBuilder segment_{100, 1000};
};

TEST_F(ScriptRun, StackHasTheScriptsFramesAndFoldsTheInterpreters) {
  const testing::ReadRun run = open_or_die(directory_.path());
  Symbolizer symbolizer({"", {}, false, false});
  const std::vector<Frame> frames = symbolizer.stack(run, {0, 2});
  EXPECT_THAT(shown(frames), ElementsAre("[python3.11]", "app.py:12 set_mask", "_ext.so",
                                         "app.py:20 <module>", "[python3.11]", "[libc.so.6]"));
  EXPECT_EQ(frames[1].language, "Python");
  EXPECT_EQ(frames[1].file, "/srv/app.py");
  EXPECT_EQ(frames[1].module, "/usr/bin/python3.11");
  EXPECT_EQ(culprit(frames), &frames[1]);
  EXPECT_THAT(
      shown(symbolizer.native_stack(run, {0, 2})),
      ElementsAre("python3.11", "python3.11", "_ext.so", "python3.11", "python3.11", "libc.so.6"));
  // A native stack has nothing to fold.
  EXPECT_EQ(shown(symbolizer.stack(run, {0, 1})), shown(symbolizer.native_stack(run, {0, 1})));
}

TEST(Script, OfJavaItsOwnLibrariesAreFolded) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "java");
  const std::string home = "/usr/lib/jvm/java-17/lib/";
  std::uint64_t id = 0;
  std::vector<std::uint64_t> native;
  for (const std::string& path :
       {home + "libnio.so", std::string("/srv/libmine.so"), home + "server/libjvm.so"}) {
    trace::Module module{};
    module.id = static_cast<std::uint32_t>(++id);
    segment.module({}, module, "", path);
    native.push_back(id << trace::kFrameModuleShift | 0x10);
  }
  trace::Runtime runtime{};
  runtime.module = 3;
  runtime.language = static_cast<std::uint8_t>(trace::Language::java);
  segment.runtime({}, runtime, "OpenJDK 17");
  trace::ScriptFrame place{};
  place.id = 1;
  place.language = runtime.language;
  segment.script_frame({}, place, "App.main");
  segment.stack({}, {1, 0, 0}, native);
  trace::ScriptStack stack{};
  stack.id = 2;
  stack.native = 1;
  stack.runtime = 3;
  segment.script_stack({}, stack, {1 | trace::kScriptEntry});
  const RunDirectory directory;
  directory.add(segment);
  const testing::ReadRun run = open_or_die(directory.path());
  Symbolizer symbolizer({"", {}, false, false});
  std::vector<std::string> shown;
  for (const Frame& frame : symbolizer.stack(run, {0, 2}))
    if (!frame.folded) shown.push_back(frame.script ? frame.symbol : base_name(frame.module));
  EXPECT_THAT(shown, ElementsAre("App.main", "libmine.so"));
}

TEST(Script, NotesNameTheRuntimesThatCouldNotBeRead) {
  EXPECT_THAT(
      runtime_notes({{trace::Language::python, trace::RuntimeState::read, "CPython 3.11", "/p"},
                     {trace::Language::python, trace::RuntimeState::unknown_version,
                      "CPython 3.15.0a1", "/usr/bin/python3.15"},
                     {trace::Language::shell, trace::RuntimeState::unknown_layout, "", ""}}),
      ElementsAre(
          "CPython 3.15.0a1 (/usr/bin/python3.15): where this version has its structures is "
          "not known; its scripts have no frames in stacks",
          "shell: its structures are not where its version has them; its scripts have no "
          "frames in stacks"));
}

}  // namespace
}  // namespace umaskaudit::symbolize
