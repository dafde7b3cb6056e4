// Stored runs read as they always did: traces outlive the version that wrote them.
// tests/golden/traces/CASE/ holds a run and expected.txt, what is read from it; with
// UMASKAUDIT_UPDATE_GOLDEN=1 that is written anew, to be reviewed as a diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

namespace fs = std::filesystem;
using testing::open_or_die;
using testing::ReadRun;

std::string octal(Mode mode) {
  std::ostringstream text;
  text << '0' << std::oct << mode;
  return text.str();
}

struct Describe {
  std::ostringstream& out;

  void operator()(const ProcessEvent& e) const {
    out << "process " << origin_name(e.origin) << ' ' << e.exe << " comm " << e.comm << " mask "
        << octal(e.mask) << " from " << mask_source_name(e.mask_source);
  }
  void operator()(const UmaskEvent& e) const {
    out << "umask " << e.id << " change " << e.change << ": " << octal(e.old_mask) << " -> "
        << octal(e.new_mask) << (e.drift ? " drift" : "");
  }
  void operator()(const CreateEvent& e) const {
    out << "create " << kind_name(e.kind) << ' ' << e.path << ": " << octal(e.requested) << " & ~"
        << octal(e.mask) << " -> " << (e.final_mode ? octal(*e.final_mode) : "?")
        << (e.created == trace::Created::yes ? " made" : " met") << ", by ";
    if (e.mask_set_by) {
      out << *e.mask_set_by;
    } else {
      out << "inherited";
    }
    for (const Step& step : e.steps) out << ' ' << rule_name(step.rule) << '=' << octal(step.mode);
    for (const Mode mask : e.ambiguous_masks) out << " or " << octal(mask);
    if (e.error != 0) out << " errno " << e.error;
  }
  void operator()(const ChmodEvent& e) const {
    out << "chmod " << e.path << ' ' << octal(e.requested);
  }
  void operator()(const RenameEvent& e) const {
    out << "name " << static_cast<int>(e.action) << ' ' << e.from << " -> " << e.to;
  }
  void operator()(const BlindSpotEvent& e) const {
    out << "blind " << blind_name(e.reason) << ' ' << e.text;
  }
  void operator()(const LossEvent& e) const {
    out << "loss " << e.reason << ' ' << e.count << ": " << e.detail;
  }
  void operator()(const NoteEvent& e) const { out << "note " << e.text; }
  void operator()(const ForkEvent& e) const {
    out << "fork " << origin_name(e.origin) << ' ' << e.child;
  }
  void operator()(const ExecEvent& e) const { out << "exec " << e.path << " errno " << e.error; }
  void operator()(const ThreadCreateEvent& e) const { out << "thread " << e.created_tid; }
};

// One line for each frame of a script.
void describe_script(std::ostream& out, const Run& run, StackRef stack) {
  const std::optional<ScriptStack> script = run.script(stack);
  if (!script) return;
  for (const ScriptFrame& frame : script->frames)
    out << "    " << frame.function << ' ' << frame.file << ':' << frame.line << ' '
        << language_name(frame.language) << (frame.entry ? " entry" : "") << '\n';
  if (script->partial) out << "    partial\n";
}

std::string describe(const Run& run) {
  std::ostringstream out;
  run.for_each([&](const Event& event) {
    const EventBase& base = testing::base(event);
    out << base.seq << " +" << base.time_ns - run.begin_ns() << ' ' << base.pid << '/' << base.tid
        << ' ' << base.thread << " fs" << base.fs << ' ' << base.call << '['
        << run.stack(base.stack).size() << "] ";
    std::visit(Describe{out}, event);
    out << '\n';
    describe_script(out, run, base.stack);
    return true;
  });
  const Completeness& all = run.completeness();
  out << all.records << " records, " << all.segments << " segments of " << all.images << " images, "
      << all.total_lost() << " lost\n";
  return out.str();
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, ReadsAsItAlwaysDid) {
  const fs::path where = fs::path(std::getenv("GOLDEN_TRACES")) / GetParam();
  const ReadRun run = open_or_die(where.string());
  const std::string found = describe(run);
  const fs::path expected = where / "expected.txt";
  if (std::getenv("UMASKAUDIT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(expected, std::ios::binary) << found;
    return;
  }
  std::ifstream file(expected, std::ios::binary);
  const std::string stored{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(found, stored);
}

INSTANTIATE_TEST_SUITE_P(Traces, Golden,
                         ::testing::Values("every-type", "damaged", "family", "scripts", "shell",
                                           "threads"),
                         [](const auto& chosen) {
                           std::string name = chosen.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace umaskaudit::reader
