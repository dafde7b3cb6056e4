#include "reporter/render/formats/annotations.h"

#include "reporter/render/causes.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

std::string name_of(const OwnPlace& place) {
  return escape(place.function.empty() ? place.module : place.function);
}

// As compilers name a place; without a file the program stands there, as the GNU standards say.
std::string gcc_place(const OwnPlace& place, const rules::Finding& finding,
                      const std::string& base) {
  if (!place.file.empty())
    return escape(path_below(place.file, base)) + ':' +
           std::to_string(place.line == 0 ? 1 : place.line) + ":1: ";
  const std::string& name = finding.program.empty() ? place.module : finding.program;
  return escape(name.empty() ? "umaskaudit" : name) + ": ";
}

// https://docs.github.com/actions/reference/workflow-commands-for-github-actions: the runner turns
// these back.
std::string github_text(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += property ? "%3A" : ":";
        break;
      case ',':
        out += property ? "%2C" : ",";
        break;
      default:
        out += c;
    }
  }
  return out;
}

const char* github_level(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::note:
      return "notice";
    case rules::Severity::warning:
      return "warning";
    case rules::Severity::error:
      return "error";
  }
  return "error";
}

}  // namespace

ShortFinding short_finding(analysis::StackCache& stacks, const rules::Finding& finding,
                           const std::string& root) {
  ShortFinding out;
  if (finding.culprit) out.cause = own_place(stacks, finding.culprit->stack, root);
  out.message = finding.info().title;
  if (!finding.subject.empty()) out.message += " (" + escape(finding.subject) + ')';
  const std::string cause = name_of(out.cause);
  if (!cause.empty()) out.message += ": " + cause;
  out.title = out.message;
  if (finding.victims.empty()) return out;
  const rules::Victim& victim = finding.victims.front();
  if (victim.recorded && (!finding.culprit || victim.event.seq != finding.culprit->seq)) {
    out.hit = own_place(stacks, victim.event.stack, root);
    const std::string hit = name_of(out.hit);
    if (!hit.empty() && hit != cause) out.message += (cause.empty() ? ": " : ", hit ") + hit;
  }
  if (victim.path.empty()) return out;
  out.effect = escape(victim.path) + " is " + octal(victim.mode);
  if (victim.mode != victim.expected) out.effect += " instead of " + octal(victim.expected);
  return out;
}

std::string hit_line(const ShortFinding& finding, const std::string& root) {
  const std::string hit = own_place_text(finding.hit, root);
  if (hit.empty() && finding.effect.empty()) return "";
  return "hit: " + hit + (hit.empty() || finding.effect.empty() ? "" : ": ") + finding.effect +
         '\n';
}

std::string place_lines(const ShortFinding& finding, const std::string& root) {
  const std::string cause = own_place_text(finding.cause, root);
  return (cause.empty() ? "" : "cause: " + cause + '\n') + hit_line(finding, root);
}

std::string gcc_lines(analysis::StackCache& stacks, const std::vector<rules::Finding>& findings,
                      const AnnotationPlaces& places) {
  std::string out;
  for (const CauseGroup& group : by_cause(findings, true)) {
    const rules::Finding& finding = *group.front();
    const std::string rule = finding.info().id;
    const ShortFinding first = short_finding(stacks, finding, places.root);
    out += gcc_place(first.cause, finding, places.base) + rules::severity_name(finding.severity) +
           ": " + rule + ": " + escape(finding.message) + " [umaskaudit-" + rule + "]\n";
    for (const rules::Finding* one : group) {
      const ShortFinding brief = short_finding(stacks, *one, places.root);
      if (brief.hit.file.empty()) continue;
      out += gcc_place(brief.hit, *one, places.base) + "note: hit" +
             (brief.effect.empty() ? " here" : ": " + brief.effect) + '\n';
    }
  }
  return out;
}

std::string github_commands(analysis::StackCache& stacks,
                            const std::vector<rules::Finding>& findings,
                            const AnnotationPlaces& places) {
  std::string out;
  for (const CauseGroup& group : by_cause(findings, true)) {
    const rules::Finding& finding = *group.front();
    const ShortFinding brief = short_finding(stacks, finding, places.root);
    out += std::string("::") + github_level(finding.severity) + ' ';
    if (!brief.cause.file.empty()) {
      const std::string file(escape(path_below(brief.cause.file, places.base)));
      out += "file=" + github_text(file, true) + ',';
      if (brief.cause.line != 0) out += "line=" + std::to_string(brief.cause.line) + ',';
    }
    out += "title=" + github_text(std::string("umaskaudit ") + finding.info().id, true) + "::";
    std::string text = escape(finding.message) + '\n' + place_lines(brief, places.base);
    for (std::size_t i = 1; i < group.size(); ++i)
      text += hit_line(short_finding(stacks, *group[i], places.root), places.base);
    out += github_text(text + finding.advice, false) + '\n';
  }
  return out;
}

}  // namespace umaskaudit::render
