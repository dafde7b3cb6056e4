// Must never depend on a locale.
#include "reporter/rules/checks/words.h"

#include <array>

namespace umaskaudit::rules {
namespace {

const char* write_verb(trace::Kind kind) {
  if (kind == trace::Kind::dir) return "change";
  return kind == trace::Kind::socket ? "connect" : "write";
}

// "read, write and enter" for three bits.
std::string verbs(Mode rwx, trace::Kind kind) {
  const bool directory = kind == trace::Kind::dir;
  std::array<const char*, 3> words{};
  std::size_t count = 0;
  if ((rwx & 4) != 0) words[count++] = directory ? "list" : "read";
  if ((rwx & 2) != 0) words[count++] = write_verb(kind);
  if ((rwx & 1) != 0) words[count++] = directory ? "enter" : "execute";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += i + 1 == count ? " and " : ", ";
    out += words[i];
  }
  return out;
}

std::string sentence(Mode bits, trace::Kind kind, const char* verb) {
  bits = effective(bits, kind);
  std::string out;
  const auto add = [&](Mode rwx, const char* who) {
    if (rwx == 0) return;
    if (!out.empty()) out += ", ";
    out += std::string(who) + verb + verbs(rwx, kind);
  };
  const Mode others = bits & 7, group = bits >> 3 & 7;
  if (others == group) {
    add(others, "the group and others");
  } else {
    add(others, "others");
    add(group, "the group");
  }
  add(bits >> 6 & 7, "the owner");
  return out;
}

}  // namespace

std::string quoted_thread(const EventRef& event) {
  return "thread '" + event.thread + "' (" + std::to_string(event.tid) + ")";
}

std::string who_text(const Finding& finding) {
  const std::string first = quoted_thread(*finding.culprit);
  if (finding.processes < 2) {
    if (finding.threads < 2) return first;
    return first + " and " + counted(finding.threads - 1, "other thread");
  }
  const std::string& name = finding.program.empty() ? finding.culprit->thread : finding.program;
  return std::to_string(finding.processes) + " processes of '" + name + "'";
}

Mode effective(Mode bits, trace::Kind kind) {
  switch (kind) {
    case trace::Kind::socket:
      return bits & 0222;
    case trace::Kind::fifo:
    case trace::Kind::mqueue:
    case trace::Kind::shm:
    case trace::Kind::sem:
    case trace::Kind::chardev:
    case trace::Kind::blockdev:
      return bits & 0666;
    case trace::Kind::unknown:
    case trace::Kind::file:
    case trace::Kind::dir:
    case trace::Kind::tmpfile:
      return bits & 0777;
  }
  return bits & 0777;
}

std::string access_text(Mode bits, trace::Kind kind) { return sentence(bits, kind, " may "); }

std::string now_text(Mode bits, trace::Kind kind) { return sentence(bits, kind, " may now "); }

std::string then_text(Mode bits, trace::Kind kind) { return sentence(bits, kind, " could "); }

std::string derivation_text(const CreateEvent& event) {
  std::string out;
  for (const Step& step : event.steps) {
    if (!out.empty()) out += "; ";
    out += step_name(step);
    if (step.rule == Rule::requested || step.rule == Rule::existing) {
      out += " " + octal(step.mode);
      continue;
    }
    if (step.clears != 0) out += " takes " + octal(step.clears);
    if (step.sets != 0) out += " gives " + octal(step.sets);
    if (step.clears == 0 && step.sets == 0) out += " takes nothing";
    out += ": " + octal(step.mode);
  }
  return out;
}

}  // namespace umaskaudit::rules
