// Numbers and modes as people say them. See words.h.
// Must never depend on a locale.
#include "reporter/rules/words.h"

#include <array>
#include <cstdio>

namespace umaskaudit::rules {
namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string three_digits(double value) { return format(value < 999.5 ? "%.3g" : "%.0f", value); }

// "read, write and enter" for three bits.
std::string verbs(Mode rwx, bool directory) {
  std::array<const char*, 3> words{};
  std::size_t count = 0;
  if ((rwx & 4) != 0) words[count++] = directory ? "list" : "read";
  if ((rwx & 2) != 0) words[count++] = directory ? "change" : "write";
  if ((rwx & 1) != 0) words[count++] = directory ? "enter" : "execute";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += i + 1 == count ? " and " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace

std::string octal_text(Mode bits) { return format("%04o", bits); }

std::string duration_text(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns < 1000) return format("%.0f ns", value);
  if (ns < 1000000) return three_digits(value / 1e3) + " us";
  if (ns < 1000000000) return three_digits(value / 1e6) + " ms";
  const std::uint64_t seconds = ns / 1000000000;
  if (seconds < 60) return three_digits(value / 1e9) + " s";
  return format("%llu min %02llu s", static_cast<unsigned long long>(seconds / 60),
                static_cast<unsigned long long>(seconds % 60));
}

std::string thread_text(const EventRef& event) {
  return "thread '" + event.thread + "' (" + std::to_string(event.tid) + ")";
}

std::string count_text(std::uint64_t count, const char* singular) {
  return std::to_string(count) + ' ' + singular + (count == 1 ? "" : "s");
}

std::string access_text(Mode bits, trace::Kind kind) {
  const bool directory = kind == trace::Kind::dir;
  std::string out;
  const auto add = [&](Mode rwx, const char* who) {
    if (rwx == 0) return;
    if (!out.empty()) out += ", ";
    out += who;
    out += " may " + verbs(rwx, directory);
  };
  add(bits & 7, "others");
  add(bits >> 3 & 7, "the group");
  add(bits >> 6 & 7, "the owner");
  return out;
}

std::string derivation_text(const CreateEvent& event) {
  std::string out;
  for (const Step& step : event.steps) {
    if (!out.empty()) out += "; ";
    out += step_name(step);
    if (step.rule == Rule::requested || step.rule == Rule::existing) {
      out += " " + octal_text(step.mode);
      continue;
    }
    if (step.clears != 0) out += " takes " + octal_text(step.clears);
    if (step.sets != 0) out += " gives " + octal_text(step.sets);
    if (step.clears == 0 && step.sets == 0) out += " takes nothing";
    out += ": " + octal_text(step.mode);
  }
  return out;
}

}  // namespace umaskaudit::rules
