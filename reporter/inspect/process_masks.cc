// Reads and formats masks; see process_masks.h.
#include "reporter/inspect/process_masks.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "reporter/inspect/proc_status.h"
#include "reporter/mode/notation.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::inspect {
namespace {

constexpr Mode kPermissions = 0777;

// /proc/PID/comm: at most 15 arbitrary bytes and a newline.
std::string command_name(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/comm", std::ios::binary);
  char bytes[64];
  file.read(bytes, sizeof bytes);
  std::string name(bytes, static_cast<std::size_t>(file.gcount()));
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::optional<std::uint32_t> pid_from(const std::string& text) {
  std::uint32_t pid = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, pid);
  if (error != std::errc() || stop != end) return std::nullopt;
  return pid;
}

std::string allowed_only_by(const ProcessMask& one, const ProcessMask& other) {
  const Mode bits = other.mask & ~one.mask & kPermissions;
  if (bits == 0) return "";
  return "only " + std::to_string(one.pid) + " allows " + octal(bits) + " " + rwx(bits) + '\n';
}

}  // namespace

Result<ProcessMask> read_process(const std::string& pid) {
  const auto cannot = [&](const char* why) {
    return Error{"cannot read the umask of process '" + pid + "'", why, "umaskaudit umask --all",
                 ExitCode::usage};
  };
  const std::optional<std::uint32_t> number = pid_from(pid);
  if (!number) return cannot("not a process id");
  const std::string name = std::to_string(*number);
  if (const std::optional<std::uint32_t> mask = umask_of_process(name)) {
    return ProcessMask{*number, *mask, command_name(name)};
  }
  std::error_code ignored;
  const bool exists = std::filesystem::exists("/proc/" + name, ignored);
  return cannot(exists ? "its status has no mask: a zombie?" : "no such process");
}

std::vector<ProcessMask> read_processes() {
  std::vector<ProcessMask> processes;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::optional<std::uint32_t> pid = pid_from(name);
    if (!pid) continue;
    // nothing: it has ended meanwhile
    const std::optional<std::uint32_t> mask = umask_of_process(name);
    if (mask) processes.push_back({*pid, *mask, command_name(name)});
  }
  std::sort(processes.begin(), processes.end(),
            [](const ProcessMask& a, const ProcessMask& b) { return a.pid < b.pid; });
  return processes;
}

std::string masks_text(const std::vector<ProcessMask>& processes, Paint paint, std::size_t width) {
  TextTable table({{"PID", Align::right}, {"MASK"}, {"ALLOWS"}, {"COMMAND", Align::left, true}}, 0);
  for (const ProcessMask& process : processes) {
    // Highlights processes whose files everyone may write.
    const bool open = (process.mask & 0002) == 0;
    table.add({std::to_string(process.pid),
               {octal(process.mask), open ? Style::bad : Style::plain},
               symbolic_mask(process.mask),
               escape(process.name)});
  }
  return table.text(width, paint);
}

std::string difference_text(const ProcessMask& first, const ProcessMask& second, Paint paint) {
  std::string text = masks_text({first, second}, paint, 0);
  if (first.mask == second.mask) return text + "the same mask\n";
  return text + allowed_only_by(first, second) + allowed_only_by(second, first);
}

}  // namespace umaskaudit::inspect
