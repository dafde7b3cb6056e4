#include "reporter/render/mode_text.h"

#include <sys/stat.h>

namespace umaskaudit::render {

std::uint32_t without_type(std::uint32_t requested) {
  return requested & ~static_cast<std::uint32_t>(S_IFMT);
}

std::string derivation_line(const CreateEvent& event) {
  std::string line;
  for (const Step& step : event.steps) {
    switch (step.rule) {
      case Rule::requested:
        line = octal(without_type(event.requested));
        break;
      case Rule::ignored_bits:
        if (step.clears != 0) line += " less ignored " + octal(step.clears);
        break;
      case Rule::umask:
        line += " & ~" + octal(event.mask);
        break;
      case Rule::default_acl:
      case Rule::setgid_parent:
      case Rule::existing:
      case Rule::filesystem:
      case Rule::unexplained:
        line += ", " + step_name(step);
        if (step.sets != 0) line += " +" + octal(step.sets);
        if (step.clears != 0) line += " -" + octal(step.clears);
        break;
    }
  }
  if (!event.steps.empty()) line += " = " + octal(event.steps.back().mode);
  return line;
}

}  // namespace umaskaudit::render
