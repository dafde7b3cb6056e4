#include "reporter/rules/suppressions.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "reporter/base/text_file.h"

namespace umaskaudit::rules {
namespace {

constexpr char kUntil[] = "until=";

std::string trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

// "YYYY-MM-DD": dates in this form compare as strings.
bool is_date(const std::string& text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != '-') return false;
  }
  const std::string month = text.substr(5, 2);
  const std::string day = text.substr(8, 2);
  return month >= "01" && month <= "12" && day >= "01" && day <= "31";
}

// Where the comment begins: '#' behind white space, so that paths may hold one.
std::size_t comment_of(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i)
    if (line[i] == '#' && (line[i - 1] == ' ' || line[i - 1] == '\t')) return i;
  return std::string_view::npos;
}

// Fills `out`; returns what is wrong with the line, or nothing.
std::string parse_line(const std::string& line, Suppression& out) {
  const std::size_t comment = comment_of(line);
  const std::string pattern = trim(std::string_view(line).substr(0, comment));
  const std::size_t colon = pattern.find(':');
  if (colon == std::string::npos) return "a line is 'rule:glob  # reason until=YYYY-MM-DD'";
  out.rule = trim(std::string_view(pattern).substr(0, colon));
  out.glob = trim(std::string_view(pattern).substr(colon + 1));
  if (out.rule != "*" && find_rule(out.rule) == nullptr) return "no rule '" + out.rule + "'";
  if (out.glob.empty()) return "the glob is missing";
  if (comment != std::string::npos) out.reason = trim(std::string_view(line).substr(comment + 1));
  const std::size_t until = out.reason.rfind(kUntil);
  if (until != std::string::npos) {
    out.until = trim(std::string_view(out.reason).substr(until + sizeof kUntil - 1));
    out.reason = trim(std::string_view(out.reason).substr(0, until));
    if (!is_date(out.until)) return "'until=" + out.until + "' is no date YYYY-MM-DD";
  }
  if (out.reason.empty()) return "the reason is missing: '# why this is accepted'";
  return "";
}

}  // namespace

Result<Suppressions> Suppressions::parse(std::string_view text, const std::string& name,
                                         const std::string& today) {
  Suppressions result;
  result.name_ = name;
  std::uint32_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    Suppression suppression;
    suppression.line = number;
    const std::string wrong = parse_line(line, suppression);
    if (!wrong.empty())
      return Error{name + ":" + std::to_string(number) + ": bad suppression", wrong, "",
                   ExitCode::usage};
    suppression.expired = !suppression.until.empty() && suppression.until < today;
    result.lines_.push_back(std::move(suppression));
  }
  return result;
}

Result<Suppressions> Suppressions::read(const std::string& file, const std::string& today) {
  Result<std::string> text = read_text_file(file, "suppressions");
  if (!text) return text.error();
  return parse(*text, file, today);
}

Suppression* Suppressions::match(RuleId rule, const std::string& text) {
  for (Suppression& line : lines_) {
    if (line.expired || (line.rule != "*" && line.rule != rule_info(rule).id)) continue;
    if (fnmatch(line.glob.c_str(), text.c_str(), 0) == 0) return &line;
  }
  return nullptr;
}

bool Suppressions::hides(RuleId rule, std::span<const std::string> names) {
  for (const std::string& name : names) {
    Suppression* line = name.empty() ? nullptr : match(rule, name);
    if (line == nullptr) continue;
    ++line->hits;
    return true;
  }
  return false;
}

void Suppressions::apply(Finding& finding, const std::vector<std::string>& functions) {
  for (const std::string& function : functions) {
    Suppression* line = function.empty() ? nullptr : match(finding.rule, function);
    if (line == nullptr) continue;
    ++line->hits;
    finding.suppressed_by = line->reason;
    return;
  }
}

std::vector<std::string> Suppressions::complaints(
    const std::function<bool(const Suppression&)>& tried) const {
  std::vector<std::string> out;
  for (const Suppression& line : lines_) {
    const std::string place =
        name_ + ":" + std::to_string(line.line) + ": " + line.rule + ":" + line.glob;
    if (line.expired)
      out.push_back(place + " expired on " + line.until + " (" + line.reason + ")");
    else if (line.hits == 0 && tried(line))
      out.push_back(place + " was never hit");
  }
  return out;
}

}  // namespace umaskaudit::rules
