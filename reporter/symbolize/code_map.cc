#include "reporter/symbolize/code_map.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "reporter/base/code_map_name.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/base/regular_file.h"

namespace umaskaudit::symbolize {
namespace {

// The largest runtimes have some ten thousand functions; a hostile map must not take all memory.
constexpr std::size_t kMostFunctions = std::size_t{1} << 20;

// A hexadecimal number and the blanks behind it, taken from the front of `line`.
bool take_number(std::string_view& line, std::uint64_t& value) {
  if (line.starts_with("0x")) line.remove_prefix(2);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
  if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return true;
}

}  // namespace

CodeMap CodeMap::parse(std::string_view text) {
  CodeMap map;
  while (!text.empty() && map.code_.size() < kMostFunctions) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    std::uint64_t start = 0, size = 0;
    if (!take_number(line, start) || !take_number(line, size)) continue;
    if (size == 0 || line.empty() || start > UINT64_MAX - size) continue;
    map.add(start, start + size, line);
  }
  return map;
}

CodeMap CodeMap::read(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return parse(read_regular_file(file.get(), kCodeMapMostBytes).value_or(""));
}

void CodeMap::add(std::uint64_t start, std::uint64_t end, std::string_view name) {
  auto first = code_.lower_bound(start);
  if (first != code_.begin() && std::prev(first)->second.end > start) --first;
  auto last = first;
  while (last != code_.end() && last->first < end) ++last;
  code_.erase(first, last);
  code_.emplace(start, Code{end, std::string(name)});
}

std::string_view CodeMap::at(std::uint64_t address) const {
  const auto behind = code_.upper_bound(address);
  if (behind == code_.begin()) return {};
  const Code& code = std::prev(behind)->second;
  return address < code.end ? std::string_view(code.name) : std::string_view{};
}

}  // namespace umaskaudit::symbolize
