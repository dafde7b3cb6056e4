// Three readings of a run: findings, numbers, and the events that go onto the page.
// Must never keep the page in memory. Called as report_html.h says.
#include "reporter/commands/report_html.h"

#include <limits>
#include <ostream>

#include "reporter/render/html/html.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kBlock = 1 << 16;

std::string_view sort_name(SortKey key) {
  switch (key) {
    case SortKey::time:
      return "time";
    case SortKey::path:
      return "path";
    case SortKey::mode:
      return "mode";
    case SortKey::mask:
      return "mask";
    case SortKey::thread:
      return "thread";
    case SortKey::call:
      return "call";
    case SortKey::kind:
      return "kind";
  }
  return "time";
}

std::size_t object_limit(const SummaryOptions& options, bool limit_given) {
  if (!limit_given) return kHtmlObjects;
  return options.limit == 0 ? std::numeric_limits<std::size_t>::max() : options.limit;
}

}  // namespace

void write_html(OpenedRun& opened, const SummaryOptions& options, bool limit_given,
                const Output& output) {
  const TextContext context{opened.run(), opened.stacks(), Paint(false), 0};
  const std::size_t limit = object_limit(options, limit_given);
  HtmlFindings findings(limit);
  findings.result = opened.findings([&](const Hit& hit) { findings.on_hit(hit); },
                                    [&](const WindowSpan& span) { findings.on_window(span); });
  // The page has the objects from the events themselves: one is the least the summary can keep.
  const Summary summary = opened.summary({options.filter, options.sort, 1});

  const FinalStates states(opened.run());
  HtmlReport report(context, findings, summary,
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

}  // namespace umaskaudit
