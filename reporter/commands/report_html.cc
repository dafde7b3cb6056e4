// Three readings of a run: findings, numbers, and the events that go onto the page.
// Must never keep the page in memory. Called as report_html.h says.
#include "reporter/commands/report_html.h"

#include <limits>
#include <ostream>

#include "reporter/render/html/html.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kBlock = 1 << 16;

std::string_view sort_name(analysis::SortKey key) {
  switch (key) {
    case analysis::SortKey::time:
      return "time";
    case analysis::SortKey::path:
      return "path";
    case analysis::SortKey::mode:
      return "mode";
    case analysis::SortKey::mask:
      return "mask";
    case analysis::SortKey::thread:
      return "thread";
    case analysis::SortKey::call:
      return "call";
    case analysis::SortKey::kind:
      return "kind";
  }
  return "time";
}

std::size_t object_limit(const analysis::SummaryOptions& options, bool limit_given) {
  if (!limit_given) return render::kHtmlObjects;
  return options.limit == 0 ? std::numeric_limits<std::size_t>::max() : options.limit;
}

}  // namespace

void write_html(OpenedRun& opened, const analysis::SummaryOptions& options, bool limit_given,
                const Output& output) {
  const render::TextContext context{opened.run(), opened.stacks(), Paint(false), 0};
  const std::size_t limit = object_limit(options, limit_given);
  render::HtmlFindings findings(limit);
  findings.result =
      opened.findings([&](const rules::Hit& hit) { findings.on_hit(hit); },
                      [&](const rules::WindowSpan& span) { findings.on_window(span); });
  // The page has the objects from the events themselves: one is the least the summary can keep.
  const analysis::Summary summary = opened.summary({options.filter, options.sort, 1});

  const FinalStates states(opened.run());
  render::HtmlReport report(context, findings, summary,
                            {options.filter, limit, sort_name(options.sort), &states});
  std::string block;
  opened.begin_stream(output);
  report.begin(block);
  opened.run().for_each([&](const Event& event) {
    report.add(block, event);
    if (block.size() >= kBlock) {
      output.stream << block;
      block.clear();
    }
    return static_cast<bool>(output.stream);
  });
  report.finish(block, opened.heading());
  output.stream << block;
}

}  // namespace umaskaudit::commands
