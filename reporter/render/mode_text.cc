// Modes as text.
// Must never interpret a mode: the calculus does.
// Called by the renderers.
#include "reporter/render/mode_text.h"

#include <sys/stat.h>

#include <cstdio>

namespace umaskaudit {

std::string octal(std::uint32_t bits) {
  char text[16];
  const int length = std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(bits));
  return {text, static_cast<std::size_t>(length)};
}

std::string rwx(Mode mode) {
  std::string text = "rwxrwxrwx";
  for (unsigned i = 0; i < 9; ++i)
    if ((mode & (0400u >> i)) == 0) text[i] = '-';
  const auto special = [&](Mode bit, std::size_t at, char with_x, char without_x) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? with_x : without_x;
  };
  special(S_ISUID, 2, 's', 'S');
  special(S_ISGID, 5, 's', 'S');
  special(S_ISVTX, 8, 't', 'T');
  return text;
}

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

}  // namespace umaskaudit
