#include "reporter/live/live_report.h"

#include <ostream>
#include <utility>

#include "reporter/commands/command.h"
#include "reporter/live/live_follow.h"
#include "reporter/objects/object_lives.h"
#include "reporter/render/formats/jsonl.h"

namespace umaskaudit::live {
namespace {

constexpr std::size_t kBlock = 1 << 16;

class Report {
 public:
  Report(reader::LiveRun& run, commands::RunArguments& arguments, std::uint64_t since,
         const FollowOptions& follow)
      : run_(run), arguments_(arguments), since_(since), follow_(follow) {}

  void write(std::ostream& out) {
    symbolize::SymbolOptions options = arguments_.symbols;
    options.symbols = !arguments_.no_symbols;
    symbolize::Symbolizer symbolizer(options);
    analysis::StackCache stacks(run_, symbolizer, commands::frame_view(arguments_));
    render::JsonLines lines(run_, stacks, follow_.expand_stacks);
    std::string block;
    render::append_run_json(block, first_line());
    const auto flush = [&] {
      if (block.empty()) return;
      out << block << std::flush;
      block.clear();
    };
    bool selected = false;
    LifeOptions life_options;
    life_options.selects = [&](const CreateEvent&) { return selected; };
    ObjectLives lives(std::move(life_options));
    const auto visit = [&](const Event& event) {
      selected = selects(event);
      const std::uint64_t object = lives.see(event);
      if (!selected) return;
      const std::size_t before = block.size();
      lines.append(block, event, object, lives);
      if (block.size() != before) ++shown_;
      if (block.size() >= kBlock) flush();
    };
    follow(run_, arguments_.run, visit, flush);
    const auto spot = commands::unaudited(record::read_run_record(arguments_.run), run_.begin_ns());
    if (spot && !interrupted()) lines.append(block, *spot);
    flush();
  }

 private:
  // How the run ends is not known, nor whether it will be complete.
  render::RunLine first_line() const {
    const auto record = record::read_run_record(arguments_.run);
    render::RunLine line = commands::run_line_of(record);
    if (record) line.started_real_ns = record->start_real_ns;
    line.begin_ns = run_.begin_ns();
    return line;
  }

  bool selects(const Event& event) {
    if (since_ != 0) arguments_.filter.since_ns = run_.begin_ns() + since_;
    const bool room =
        follow_.limit == 0 || shown_ < follow_.limit || analysis::is_never_dropped(event);
    return room && arguments_.filter.selects(event);
  }

  reader::LiveRun& run_;
  commands::RunArguments& arguments_;
  std::uint64_t since_;
  const FollowOptions& follow_;
  std::size_t shown_ = 0;
};

}  // namespace

int follow_report(commands::RunArguments& arguments, const FollowOptions& options,
                  Console& console) {
  if (arguments.filter.by_finding())
    return commands::fail(console, {"report: --follow knows no findings", "they need the whole run",
                                    "umaskaudit report when the run has ended", ExitCode::usage});
  std::uint64_t since = 0;
  if (!arguments.since.empty()) {
    const Result<std::uint64_t> parsed = analysis::parse_duration(arguments.since);
    if (!parsed) return commands::fail(console, parsed.error());
    since = *parsed;
  }
  const auto run = reader::LiveRun::open(arguments.run);
  if (!run) return commands::fail(console, run.error());
  watch_for_interrupts();
  return commands::write_output(console, arguments.output, [&](const commands::Output& output) {
    Report(**run, arguments, since, options).write(output.stream);
  });
}

}  // namespace umaskaudit::live
