#include "reporter/symbolize/culprit.h"

#include <string_view>

namespace umaskaudit {
namespace {

bool is_runtime(const std::string& module) {
  static constexpr std::string_view kRuntime[] = {"libumaskaudit.so", "libc.so",   "libc-2.",
                                                  "libpthread",       "ld-linux",  "libstdc++.so",
                                                  "libgcc_s.so",      "libc++.so", "librt"};
  const std::string name = base_name(module);
  for (const std::string_view prefix : kRuntime)
    if (name.compare(0, prefix.size(), prefix) == 0) return true;
  return false;
}

}  // namespace

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const Frame* culprit(const std::vector<Frame>& stack) {
  for (const Frame& frame : stack)
    if (!is_runtime(frame.module)) return &frame;
  return stack.empty() ? nullptr : &stack.front();
}

}  // namespace umaskaudit
