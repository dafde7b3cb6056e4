// Findings as lines for editors and pipelines: as compilers print them, and as GitHub's workflow
// commands; and the few words of a finding that other short forms share.
// Must never let a name from the program end a line, or begin a command of its own.
#pragma once

#include <string>
#include <vector>

#include "reporter/render/own_place.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::render {

// A finding in a few words that are the same in every run: no thread ids, no counts, no paths of
// objects.
struct ShortFinding {
  OwnPlace cause;
  OwnPlace hit;         // empty where it hit the call that caused it, or nothing
  std::string title;    // escaped: of the rule, and the function that is the cause
  std::string message;  // the same, and the function that was hit
  std::string effect;   // escaped: of the first object that was hit, with its path; may be empty
};
ShortFinding short_finding(analysis::StackCache& stacks, const rules::Finding& finding,
                           const std::string& root);

// What was hit, and the effect: a line, or nothing; paths relative to `root`.
std::string hit_line(const ShortFinding& finding, const std::string& root);
// The cause, a line, and hit_line().
std::string place_lines(const ShortFinding& finding, const std::string& root);

struct AnnotationPlaces {
  std::string root;  // where the run was started
  std::string base;  // paths below it are relative to it
};

// "src/race.cc:9:1: error: window-overlap: ... [umaskaudit-window-overlap]", a line a cause, and a
// note for each place that was hit. Suppressed findings and those of the baseline are left out.
std::string gcc_lines(analysis::StackCache& stacks, const std::vector<rules::Finding>& findings,
                      const AnnotationPlaces& places);

// "::error file=src/race.cc,line=9,title=...::...": one command a cause.
std::string github_commands(analysis::StackCache& stacks,
                            const std::vector<rules::Finding>& findings,
                            const AnnotationPlaces& places);

}  // namespace umaskaudit::render
