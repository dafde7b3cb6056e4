// Percent-encoding (RFC 3986, 2.1).
// Must never keep a byte that is no letter or digit unless the caller asks for it.
#pragma once

#include <string>
#include <string_view>

namespace umaskaudit {

// Letters and digits, and bytes of `kept`, as they are; all others as %XX.
std::string percent_encoded(std::string_view bytes, std::string_view kept);

}  // namespace umaskaudit
