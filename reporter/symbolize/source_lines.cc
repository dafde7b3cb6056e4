// A name may lead to a FIFO, a device, an endless file or one that contains a secret: only regular
// files of a plausible size are read whose real name, after all symbolic links, is that of a source
// file, or which begin as a script does.
#include "reporter/symbolize/source_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "reporter/base/clock.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/base/regular_file.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/symbolize/known_names.h"

namespace umaskaudit::symbolize {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20;
constexpr std::size_t kLongestLine = 1024;

bool has_name_of_source(const std::string& path) {
  static constexpr std::string_view kEndings[] = {
      "c",  "cc",  "cpp", "cxx", "c++", "C",    "h",   "hh",  "hpp",  "hxx", "inc",   "inl",  "ipp",
      "m",  "mm",  "s",   "S",   "rs",  "go",   "d",   "f",   "f90",  "pas", "adb",   "zig",  "nim",
      "py", "pyx", "js",  "cjs", "mjs", "ts",   "cts", "mts", "tsx",  "jsx", "rb",    "rake", "pl",
      "pm", "t",   "php", "lua", "sh",  "bash", "zsh", "ksh", "java", "kt",  "scala", "tcl",  "y"};
  const std::string name = base_name(path);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0) return false;
  const std::string_view ending = std::string_view(name).substr(dot + 1);
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

std::string real_name(int file) {
  std::array<char, PATH_MAX> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = readlink(link.c_str(), name.data(), name.size());
  return length < 0 ? "" : std::string(name.data(), static_cast<std::size_t>(length));
}

std::uint64_t changed_ns(const struct stat& facts) {
  return facts.st_mtim.tv_sec < 0 ? 0 : to_ns(facts.st_mtim);
}

// Empty: the file has no such line.
std::string_view nth_line(std::string_view text, std::uint32_t number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text.substr(0, kLongestLine);
}

}  // namespace

SourceLines::File SourceLines::read(const std::string& name) const {
  File file;
  const std::string path = sysroot_ + name;
  struct stat facts {};
  // Opening a device or a FIFO has effects that its other users may see.
  if (name.find('\0') != std::string::npos || stat(path.c_str(), &facts) != 0 ||
      !S_ISREG(facts.st_mode))
    return file;
  const Descriptor open_file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fstat(open_file.get(), &facts) != 0) return file;
  std::optional<std::string> text = read_regular_file(open_file.get(), kLargestFile);
  if (!text || !(text->starts_with("#!") || has_name_of_source(real_name(open_file.get()))))
    return file;
  const std::uint64_t written = changed_ns(facts);
  const bool newer = begin_real_ns_ != 0 && written > end_real_ns_;
  if (begin_real_ns_ != 0 && written > begin_real_ns_) file.written_real_ns = written;
  file.state = newer ? SourceLine::State::changed : SourceLine::State::known;
  if (!newer) file.text = *std::move(text);
  return file;
}

const SourceLine& SourceLines::line(const Frame& frame) {
  static const SourceLine kUnknown;
  if (frame.line == 0 || frame.line_of_other || is_given_text(frame)) return kUnknown;
  std::string name = frame.file;
  if (!name.starts_with('/')) {
    // A relative name of a compiler means that the build hid its directory; scripts are mostly
    // named relative to where CMD began.
    if (!frame.script || directory_.empty()) return kUnknown;
    name = directory_ + '/' + name;
  }
  const auto [entry, fresh] = lines_.try_emplace({name, frame.line});
  if (!fresh) return entry->second;
  if (known_ != nullptr) {
    const auto found = known_->lines.find({name, frame.line});
    if (found != known_->lines.end()) entry->second = found->second;
    return entry->second;
  }
  if (open_name_ != name) {
    open_ = read(name);
    open_name_ = name;
  }
  SourceLine& line = entry->second;
  line.state = open_.state;
  line.written_real_ns = open_.written_real_ns;
  if (line.state != SourceLine::State::known) return line;
  line.text = nth_line(open_.text, frame.line);
  if (line.text.find_first_not_of(" \t") == std::string::npos)
    line.state = SourceLine::State::unknown;
  return line;
}

void SourceLines::add_names(KnownNames& names) const {
  for (const auto& [place, line] : lines_)
    if (line.state != SourceLine::State::unknown) names.lines[place] = line;
}

}  // namespace umaskaudit::symbolize
