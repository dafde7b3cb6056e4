// The facts of the directory that an object was created in, for its record and its log line.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

struct ParentView {
  std::uint32_t id = 0;  // of the directory record
  bool known = false;
  std::uint32_t mode = 0;
  bool default_acl = false;
};

}  // namespace umaskaudit::shim
