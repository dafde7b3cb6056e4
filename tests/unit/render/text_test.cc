// Widths, tables, modes, times, colour: the parts that every text report is made of.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "reporter/analysis/stack_cache.h"
#include "reporter/base/console.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/style.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"
#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::render {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("Übung"), 5u);
  EXPECT_EQ(display_width("東京"), 4u) << "wide";
  EXPECT_EQ(display_width("e\xcc\x81"), 1u) << "combining";
}

TEST(ElideMiddle, KeepsBothEnds) {
  EXPECT_EQ(elide_middle("short", 10), "short");
  EXPECT_EQ(elide_middle("/very/long/path/name.txt", 13), "/very...e.txt");
  EXPECT_EQ(elide_middle("東京東京東京", 9), "東...東京");
  for (std::size_t columns = 5; columns < 30; ++columns)
    EXPECT_LE(display_width(elide_middle("/srv/東京/файл/name.key", columns)), columns);
}

TEST(TextWidth, NeitherAModeNorALineNumberIsCut) {
  const std::string place = "make_directories at source.cc:1234";
  const std::string mode = "open '/srv/data/report' 0666 & ~0022 = 0644";
  for (std::size_t columns = 5; columns < 50; ++columns) {
    for (const std::string& text : {place, mode}) {
      const std::string cut = elide_middle(text, columns);
      EXPECT_LE(display_width(cut), std::max<std::size_t>(columns, 5));
      const std::size_t mark = cut.find("...");
      if (mark == std::string::npos) continue;
      const auto digit = [](char c) { return c >= '0' && c <= '9'; };
      const std::string back = cut.substr(mark + 3);
      if (mark > 0 && digit(cut[mark - 1])) {
        EXPECT_FALSE(digit(text[mark])) << cut;
      }
      if (!back.empty() && digit(back[0])) {
        EXPECT_FALSE(digit(text[text.size() - back.size() - 1])) << cut;
      }
    }
    if (columns >= 8) {
      EXPECT_TRUE(elide_middle(place, columns).ends_with("1234")) << columns;
      EXPECT_TRUE(elide_middle(mode, columns).ends_with("0644")) << columns;
    }
  }
}

TEST(TextTable, AScreenLeavesWholeColumnsOutAndSaysSo) {
  TextTable table({{"THREAD", Align::left, true},
                   {"PID", Align::right, false, true},
                   {"LAST CHANGE"},
                   {"AT", Align::left, true}},
                  0);
  table.add({"worker-of-the-pool 4711", "4700", "0022->0077", "with_mask service.cc:120"});
  EXPECT_EQ(table.screen_text(0, Paint(false)), table.text(0, Paint(false)));
  EXPECT_EQ(table.screen_text(80, Paint(false)), table.text(80, Paint(false)));
  for (std::size_t width = 12; width < 60; ++width) {
    const std::string text = table.screen_text(width, Paint(false));
    std::istringstream lines(text);
    std::string titles, row;
    std::getline(lines, titles);
    std::getline(lines, row);
    EXPECT_LE(display_width(titles), width) << text;
    EXPECT_LE(display_width(row), width) << text;
    const bool all = titles.find("PID") != std::string::npos;
    EXPECT_EQ(titles.ends_with(" ..."), !all) << text;
    if (width >= 24) {
      EXPECT_NE(row.find("0022->0077"), std::string::npos) << text;
    }
    if (width >= 36) {
      EXPECT_TRUE(row.ends_with("120")) << text;
    }
  }
}

TEST(TextTable, AlignsAndEndsWithoutBlanks) {
  TextTable table({{"NAME"}, {"N", Align::right}, {"LAST"}});
  table.add({"東京", "1", "x"});
  table.add({"a", "1000"});
  EXPECT_EQ(table.text(0, Paint(false)),
            "  NAME     N  LAST\n"
            "  東京     1  x\n"
            "  a     1000\n");
}

TEST(TextTable, OnlyElasticColumnsGiveWay) {
  TextTable table({{"PATH", Align::left, true}, {"CALL"}}, 0);
  table.add({"/a/rather/long/path/to/something", "mkdirat_with_a_long_name"});
  std::istringstream lines(table.text(45, Paint(false)));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 45u) << line;
  EXPECT_NE(table.text(45, Paint(false)).find("mkdirat_with_a_long_name"), std::string::npos);
}

TEST(Paint, AddsNothingWhenOff) {
  EXPECT_EQ(Paint(false)(Style::bad, "x"), "x");
  EXPECT_EQ(Paint(true)(Style::bad, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint(true)(Style::plain, "x"), "x");
}

TEST(Colour, FollowsTheEnvironment) {
  EXPECT_TRUE(decide_colour(true, nullptr, nullptr, "xterm"));
  EXPECT_FALSE(decide_colour(false, nullptr, nullptr, "xterm"));
  EXPECT_FALSE(decide_colour(true, "1", nullptr, "xterm"));
  EXPECT_TRUE(decide_colour(true, "", nullptr, "xterm")) << "an empty NO_COLOR counts as unset";
  EXPECT_TRUE(decide_colour(false, nullptr, "1", nullptr));
  EXPECT_FALSE(decide_colour(false, nullptr, "0", nullptr));
  EXPECT_FALSE(decide_colour(true, "1", "1", "xterm")) << "NO_COLOR wins";
  EXPECT_FALSE(decide_colour(true, nullptr, nullptr, "dumb"));
  EXPECT_FALSE(decide_colour(true, nullptr, nullptr, nullptr));
}

TEST(Width, ComesFromColumnsOrTheTerminal) {
  EXPECT_EQ(decide_width("100", 80), 100u);
  EXPECT_EQ(decide_width(nullptr, 80), 80u);
  EXPECT_EQ(decide_width("", 80), 80u);
  EXPECT_EQ(decide_width("5", 80), 80u);
  EXPECT_EQ(decide_width("100x", 80), 80u);
  EXPECT_EQ(decide_width("99999999999999999999", 0), 0u);
}

TEST(Modes, HaveFourDigitsAndRwx) {
  EXPECT_EQ(octal(022), "0022");
  EXPECT_EQ(octal(0), "0000");
  EXPECT_EQ(octal(04755), "4755");
  EXPECT_EQ(octal(0100644), "100644");
  EXPECT_EQ(rwx(0644), "rw-r--r--");
  EXPECT_EQ(rwx(07777), "rwsrwsrwt");
  EXPECT_EQ(rwx(07000), "--S--S--T");
  EXPECT_EQ(without_type(0100644), 0644u);
  EXPECT_EQ(without_type(04755), 04755u);
}

TEST(Modes, DerivationFitsOnALine) {
  CreateEvent event;
  event.requested = 0666;
  event.mask = 022;
  event.steps = {{Rule::requested, 0666, 0, 0666}, {Rule::umask, 0, 022, 0644}};
  EXPECT_EQ(derivation_line(event), "0666 & ~0022 = 0644");
  event.steps.push_back({Rule::setgid_parent, 02000, 0, 02644});
  EXPECT_EQ(derivation_line(event), "0666 & ~0022, setgid-parent +2000 = 2644");
}

TEST(Times, AreReadable) {
  EXPECT_EQ(duration_text(0), "0 ns");
  EXPECT_EQ(duration_text(999), "999 ns");
  EXPECT_EQ(duration_text(1500), "1.5 us");
  EXPECT_EQ(duration_text(2345678), "2.35 ms");
  EXPECT_EQ(duration_text(125ull * 1000000000), "2 min 05 s");
  EXPECT_EQ(utc_text(1700000000ull * 1000000000), "2023-11-14 22:13:20 UTC");
  EXPECT_EQ(offset_text(1500000, 0), "+0.001500");
  EXPECT_EQ(offset_text(0, 1500000), "-0.001500");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(0, "file"), "0 files");
}

TEST(Stacks, NameTheCodeThatDidIt) {
  symbolize::Frame libc{"/lib/x/libc.so.6", "", 0x10, "mkdir", "", 0, false, ""};
  symbolize::Frame shim{"/opt/libumaskaudit.so", "", 0x20, "mkdir", "", 0, false, ""};
  symbolize::Frame code{"/opt/app", "", 0x1234, "save(int)", "/src/app/save.cc", 42, false, "C++"};
  EXPECT_EQ(symbolize::culprit({shim, libc, code})->offset, 0x1234u);
  EXPECT_EQ(symbolize::culprit({shim, libc})->offset, 0x20u) << "all ours: the innermost";
  EXPECT_EQ(symbolize::culprit({}), nullptr);
  EXPECT_EQ(site(&code), "save save.cc:42");
  EXPECT_EQ(stack_lines({code}, 2), "  #0 save(int) /src/app/save.cc:42 (/opt/app+0x1234)\n");
  code.symbol.clear();
  EXPECT_EQ(site(&code), "app+0x1234");
  code.symbol = "bad\x1bname";
  EXPECT_EQ(site(&code), "bad\\x1bname save.cc:42");
}

TEST(Stacks, ShowTheLinesOfAScriptAndFoldItsInterpreter) {
  symbolize::Frame inner{"/usr/bin/python3.11", "", 0x90, "os_umask", "", 0, false, "C"};
  inner.folded = true;
  symbolize::Frame script{"/usr/bin/python3.11", "", 0,     "set_mask",
                          "/srv/app.py",         12, false, "Python"};
  script.script = true;
  const symbolize::Frame extension{"/srv/_ext.so", "", 0x30, "call", "", 0, false, ""};
  symbolize::Frame shell{"/bin/bash", "", 0, "", "/srv/build.sh", 3, false, "shell"};
  shell.script = true;
  EXPECT_EQ(site(&script), "set_mask app.py:12");
  EXPECT_EQ(site(&shell), "build.sh:3");
  EXPECT_EQ(stack_lines({inner, script, extension, shell, inner}, 2),
            "  #0 set_mask /srv/app.py:12 (Python)\n"
            "  #1 call (/srv/_ext.so+0x30)\n"
            "  #2 /srv/build.sh:3 (shell)\n"
            "  ... 2 library frames (--all-frames)\n");
  shell.line_of_other = true;
  EXPECT_EQ(site(&shell), "build.sh:3 or a file that it reads");
  script.line = 0;
  EXPECT_EQ(site(&script), "set_mask app.py");
  script.file.clear();
  EXPECT_EQ(site(&script), "set_mask (Python)");
  EXPECT_EQ(stack_lines({script}, 0), "#0 set_mask (Python)\n");
  script.symbol.clear();
  EXPECT_EQ(site(&script), "(Python)");
  EXPECT_EQ(stack_lines({script, inner}, 0),
            "#0 ?? (Python)\n... 1 library frame (--all-frames)\n");
}

rules::Finding finding_of(rules::RuleId rule, rules::Severity severity, const std::string& path) {
  rules::Finding finding;
  finding.rule = rule;
  finding.severity = severity;
  finding.message = "'" + path + "' was made";
  finding.count = 3;
  finding.victims.resize(1);
  return finding;
}

TEST(FindingLines, OfOneRuleTenAreShownAndErrorsAll) {
  testing::RunDirectory directory;
  testing::SegmentBuilder segment(100, 1);
  testing::begin_image(&segment, "server");
  directory.add(segment);
  const auto run = umaskaudit::reader::Run::open(directory.path());
  ASSERT_TRUE(run);
  symbolize::Symbolizer symbolizer{symbolize::SymbolOptions{}};
  analysis::StackCache stacks(*run, symbolizer);
  const TextContext context{*run, stacks, Paint(false), 0};
  std::vector<rules::Finding> findings;
  for (const auto& [severity, rule] :
       {std::pair(rules::Severity::error, rules::RuleId::window_overlap),
        std::pair(rules::Severity::warning, rules::RuleId::world_writable),
        std::pair(rules::Severity::note, rules::RuleId::create_then_chmod)})
    for (int i = 0; i < 12; ++i) findings.push_back(finding_of(rule, severity, std::to_string(i)));
  findings.push_back(finding_of(rules::RuleId::umask_zero, rules::Severity::note, "last"));
  std::string out;
  append_finding_lines(out, context, findings, 2);
  EXPECT_NE(out.find("error: window-overlap: '11' was made\n"), std::string::npos);
  EXPECT_NE(out.find("warning: world-writable: '9' was made\n"
                     "  warning: world-writable: 2 more such findings, 6 objects; "),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("note: umask-zero: 'last' was made\n"
                     "  note: create-then-chmod: 2 more such findings, 6 objects; "),
            std::string::npos)
      << out;
}

TEST(FindingText, ACallMayReturnAfterTheWindow) {
  testing::RunDirectory directory;
  testing::SegmentBuilder segment(100, 1);
  testing::begin_image(&segment, "server");
  directory.add(segment);
  const auto run = umaskaudit::reader::Run::open(directory.path());
  ASSERT_TRUE(run);
  symbolize::Symbolizer symbolizer{symbolize::SymbolOptions{}};
  analysis::StackCache stacks(*run, symbolizer);
  const TextContext context{*run, stacks, Paint(false), 100, "/srv/app"};
  rules::Finding finding =
      finding_of(rules::RuleId::window_overlap, rules::Severity::error, "/srv/app/out/a");
  finding.culprit.emplace();
  finding.culprit->call = "umask";
  finding.culprit->seq = 1;
  finding.culprit_end = finding.culprit;
  finding.culprit_end->seq = 2;
  finding.window.emplace();
  finding.window->begin_ns = 1000;
  finding.window->end_ns = 5000;
  rules::Victim& victim = finding.victims.front();
  victim.path = "/srv/app/out/a";
  victim.event.seq = 3;
  victim.event.call = "open";
  victim.event.time_ns = 4000;
  const auto text = [&] {
    std::string out;
    append_finding(out, context, finding);
    return out;
  };
  EXPECT_NE(text().find("  'out/a' was made\n"), std::string::npos) << text();
  EXPECT_NE(text().find("Victim: open of 'out/a' by thread"), std::string::npos) << text();
  EXPECT_EQ(text().find("after the window closed"), std::string::npos) << text();
  victim.event.time_ns = 58000;
  victim.began_before = true;
  std::string flat = text();
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  for (std::size_t at = 0; (at = flat.find("  ", at)) != std::string::npos;) flat.erase(at, 1);
  EXPECT_NE(flat.find(" s, when that umask returned, and returned at "), std::string::npos) << flat;
  EXPECT_NE(flat.find(" s, 53 us after the window closed"), std::string::npos) << flat;
}

TEST(TextTable, TheFirstColumnMayGiveWay) {
  TextTable table(
      {{"PID", Align::right, false, true}, {"NAME"}, {"WHERE", Align::left, true, false, 20}}, 0);
  table.add({"4711", "python3", "main app.py:3"});
  EXPECT_NE(table.screen_text(28, Paint(false)).find("4711"), std::string::npos);
  const std::string narrow = table.screen_text(27, Paint(false));
  EXPECT_EQ(narrow.find("4711"), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("python3  main app.py:3\n"), std::string::npos) << narrow;
  EXPECT_NE(table.screen_text(8, Paint(false)).find("python3"), std::string::npos) << "one stays";
}

TEST(TextTable, OneLongCellPadsNoOtherLine) {
  TextTable table({{"PATH", Align::left, true}, {"MODE"}}, 0);
  const std::string name(255, 'n');
  table.add({name, "0644"});
  table.add({"short", "0600"});
  EXPECT_EQ(table.text(0, Paint(false)), "PATH   MODE\n" + name + "  0644\nshort  0600\n");
  EXPECT_EQ(table.screen_text(0, Paint(false)), table.text(0, Paint(false)));
}

}  // namespace
}  // namespace umaskaudit::render
