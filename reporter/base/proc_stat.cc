#include "reporter/base/proc_stat.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace umaskaudit {

std::vector<std::string> stat_fields(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // The name, in parentheses, may have blanks and parentheses itself.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(fields), {}};
}

}  // namespace umaskaudit
