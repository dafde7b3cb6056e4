// Formats times; see time_text.h. Must never round a duration to zero.
#include "reporter/text/time_text.h"

#include <array>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <iterator>

namespace umaskaudit {
namespace {

constexpr std::uint64_t kSecond = 1000000000;

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, pattern, values...);
  return {text, static_cast<std::size_t>(length)};
}

// "%.3g" would write 999.7 as 1e+03.
std::string three_digits(double value) { return format(value < 999.5 ? "%.3g" : "%.0f", value); }

}  // namespace

std::string duration_text(std::uint64_t ns) {
  const double value = static_cast<double>(ns);
  if (ns < 1000) return format("%.0f ns", value);
  if (ns < 1000000) return three_digits(value / 1e3) + " us";
  if (ns < kSecond) return three_digits(value / 1e6) + " ms";
  const std::uint64_t seconds = ns / kSecond;
  if (seconds < 60) return three_digits(value / 1e9) + " s";
  return format("%llu min %02llu s", static_cast<unsigned long long>(seconds / 60),
                static_cast<unsigned long long>(seconds % 60));
}

std::string utc_text(std::uint64_t real_ns) {
  const auto seconds = static_cast<std::time_t>(real_ns / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text, length};
}

std::string utc_date(std::uint64_t real_ns) { return utc_text(real_ns).substr(0, 10); }

std::string offset_text(std::uint64_t time_ns, std::uint64_t begin_ns) {
  const bool before = time_ns < begin_ns;
  const std::uint64_t span = before ? begin_ns - time_ns : time_ns - begin_ns;
  return format("%c%llu.%06llu", before ? '-' : '+',
                static_cast<unsigned long long>(span / kSecond),
                static_cast<unsigned long long>(span % kSecond / 1000));
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  std::array<char, 32> text{};
  const char* form = unit == 0 || value >= 10 ? "%.0f %s" : "%.1f %s";
  return {text.data(), static_cast<std::size_t>(
                           std::snprintf(text.data(), text.size(), form, value, kUnits[unit]))};
}

std::string grouped(std::uint64_t count) {
  std::string text = std::to_string(count);
  if (count < 10000) return text;
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

}  // namespace umaskaudit
