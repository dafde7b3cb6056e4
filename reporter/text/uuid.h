// UUIDs as text (RFC 9562), with lower-case digits, so that equal ids are equal strings.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace umaskaudit {

using UuidBytes = std::array<std::uint8_t, 16>;

// "01234567-89ab-cdef-0123-456789abcdef"
std::string uuid_text(const UuidBytes& bytes);
// A UUID of version 8 made from a hash; its content is our own.
std::string hash_uuid_text(UuidBytes bytes);

}  // namespace umaskaudit
