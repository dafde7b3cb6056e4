// The text of diff_report.h: what was read as the same, the objects, the mask changes, one line.
#include <algorithm>

#include "reporter/mode/access.h"
#include "reporter/render/diff_report.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/text_report.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

std::string masks_text(const analysis::MaskSite* site) {
  std::string text;
  if (site != nullptr)
    for (const Mode mask : site->masks) text += (text.empty() ? "" : " ") + octal(mask);
  return text.empty() ? "-" : text;
}

std::string modes_text(const std::vector<analysis::Outcome>& outcomes) {
  std::string text;
  for (const analysis::Outcome& one : outcomes) text += (text.empty() ? "" : " ") + octal(one.mode);
  return text.empty() ? "-" : text;
}

std::string inherited_text(const analysis::RunSide& side) {
  std::string text;
  for (const Mode mask : side.inherited) text += (text.empty() ? "" : ", ") + octal(mask);
  return text.empty() ? "not known" : text;
}

std::string root_text(const analysis::PathNames& names) {
  return names.root().empty() ? "nothing" : escape(names.root());
}

class Text {
 public:
  Text(const analysis::RunDiff& diff, const DiffSide& a, const DiffSide& b, const DiffStyle& style)
      : diff_(diff), a_(a), b_(b), style_(style) {}

  std::string write() {
    side("A", a_);
    side("B", b_);
    out_ += '\n';
    same_names();
    changed();
    only("Only in A", &analysis::ObjectDifference::only_a, &analysis::ObjectDifference::a);
    only("Only in B", &analysis::ObjectDifference::only_b, &analysis::ObjectDifference::b);
    sites();
    closing();
    return std::move(out_);
  }

 private:
  void title(const std::string& text) { out_ += style_.paint(Style::strong, text) + '\n'; }

  void side(const char* name, const DiffSide& side) {
    out_ += style_.paint(Style::strong, name) + "  " + escape(side.directory);
    if (!side.program.empty()) out_ += ": " + escape(side.program);
    out_ += ", umask at the start " + inherited_text(side.facts) + '\n';
  }

  void same_names() {
    std::string text;
    const auto line = [&](const char* sign, std::uint64_t in_a, std::uint64_t in_b,
                          const std::string& what) {
      if (in_a + in_b == 0) return;
      text += std::string("  ") + sign + "  " + what + ": " + counted(in_a, "path") + " in A, " +
              std::to_string(in_b) + " in B\n";
    };
    const analysis::PathNames& a = a_.names;
    const analysis::PathNames& b = b_.names;
    line(".     ", a.below_root(), b.below_root(),
         root_text(a) + " and " + root_text(b) + " (--root-a, --root-b)");
    line("<temp>", a.temporary(), b.temporary(), "random names of mkstemp, mktemp, tempfile");
    line("<pid> ", a.with_pid(), b.with_pid(), "numbers that are process ids of the run");
    line("<same>", a.same(), b.same(), "what --same matches");
    if (text.empty()) return;
    title("Read as the same (--exact: as recorded)");
    out_ += text + '\n';
  }

  std::size_t rows(std::size_t all) const {
    return style_.limit == 0 ? all : std::min(all, style_.limit);
  }
  void rest(std::size_t all) {
    if (all > rows(all))
      out_ += "  ... and " + std::to_string(all - rows(all)) + " more, --limit 0 shows all\n";
    out_ += '\n';
  }

  std::string step_side(const analysis::StepDifference& step, const std::string& value,
                        const DiffSide& side, const analysis::Outcome& outcome) const {
    if (step.step != "umask" || value == "none") return value;
    return value + ' ' + side.mask_origin(outcome.example.creation);
  }

  void changed() {
    TextTable table({{"PATH", Align::left, true},
                     {"KIND"},
                     {"A", Align::right},
                     {"B", Align::right},
                     {"CHANGE"},
                     {"STEP"},
                     {"IN A"},
                     {"IN B"}});
    std::size_t all = 0;
    for (const analysis::ObjectDifference& one : diff_.objects) {
      if (one.only_a || one.only_b) continue;
      ++all;
      if (all > rows(all)) continue;
      const analysis::Outcome& a = one.a.front();
      const analysis::Outcome& b = one.b.front();
      bool first = true;
      for (const analysis::StepDifference& step : one.steps) {
        table.add({first ? escape(one.name) : "", first ? kind_name(a.kind) : "",
                   first ? modes_text(one.a) : "",
                   Cell(first ? modes_text(one.b) : "", first ? mode_style(b.mode) : Style::plain),
                   first ? access_change(a.mode, b.mode) : "", step.step,
                   step_side(step, step.a, a_, a), step_side(step, step.b, b_, b)});
        first = false;
      }
    }
    if (all == 0) return;
    title("Other modes");
    out_ += table.text(style_.width, style_.paint);
    rest(all);
  }

  void only(const char* name, bool analysis::ObjectDifference::*chosen,
            std::vector<analysis::Outcome> analysis::ObjectDifference::*outcomes) {
    TextTable table({{"PATH", Align::left, true}, {"KIND"}, {"CALL"}, {"MODE", Align::right}});
    std::size_t all = 0;
    for (const analysis::ObjectDifference& one : diff_.objects) {
      if (!(one.*chosen)) continue;
      ++all;
      if (all > rows(all)) continue;
      const analysis::Outcome& outcome = (one.*outcomes).front();
      table.add({escape(one.name), kind_name(outcome.kind), escape(outcome.example.creation.call),
                 modes_text(one.*outcomes)});
    }
    if (all == 0) return;
    title(name);
    out_ += table.text(style_.width, style_.paint);
    rest(all);
  }

  void sites() {
    if (diff_.sites.empty()) return;
    title("Mask changes: the masks that each place sets");
    TextTable table({{"WHERE", Align::left, true}, {"CALL"}, {"A"}, {"B"}});
    for (std::size_t i = 0; i < rows(diff_.sites.size()); ++i) {
      const analysis::SiteDifference& one = diff_.sites[i];
      const analysis::MaskSite& site = one.a != nullptr ? *one.a : *one.b;
      table.add({site.where.empty() ? "no stack" : site.where, escape(site.call), masks_text(one.a),
                 masks_text(one.b)});
    }
    out_ += table.text(style_.width, style_.paint);
    rest(diff_.sites.size());
  }

  void closing() {
    const auto count = [&](const auto& chosen) {
      return static_cast<std::uint64_t>(
          std::count_if(diff_.objects.begin(), diff_.objects.end(), chosen));
    };
    const std::uint64_t only_a = count([](const auto& one) { return one.only_a; });
    const std::uint64_t only_b = count([](const auto& one) { return one.only_b; });
    const std::uint64_t other = diff_.objects.size() - only_a - only_b;
    if (!diff_.any()) {
      out_ += "no difference: " + counted(diff_.same, "object") + " are alike\n\n";
      return;
    }
    out_ += counted(other, "object") + " with another mode, " + std::to_string(only_a) +
            " only in A, " + std::to_string(only_b) + " only in B, " + std::to_string(diff_.same) +
            " alike; " + counted(diff_.sites.size(), "place") + " with other masks";
    out_ += diff_.inherited ? "; the runs began under different masks\n\n" : "\n\n";
  }

  const analysis::RunDiff& diff_;
  const DiffSide& a_;
  const DiffSide& b_;
  const DiffStyle& style_;
  std::string out_;
};

}  // namespace

std::string diff_text(const analysis::RunDiff& diff, const DiffSide& a, const DiffSide& b,
                      const DiffStyle& style) {
  return Text(diff, a, b, style).write();
}

}  // namespace umaskaudit::render
